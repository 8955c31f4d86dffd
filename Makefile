# The commands of a developer. "make" alone lists them.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   = -s -w -X main.version=$(VERSION)
GOLANGCI  = go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
OASDIFF   = go run github.com/oasdiff/oasdiff@v1.36.0
TOOLS     = PATH="$(CURDIR)/.tools/venv/bin:$(CURDIR)/.tools/node_modules/.bin:$$PATH" REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
BASE_URL ?= http://127.0.0.1:8080

# What compose.yaml takes from .env, with the same defaults; the key that "make service" makes is there too.
-include .env
PORT              ?= 8080
POSTGRES_PORT     ?= 5432
POSTGRES_PASSWORD ?= message-service
TOKEN             ?= $(SERVICE_KEY)

# The service, the benchmarks, and the generator of api/api.go are separate modules, so that go.mod
# lists only what the service and its users need. There is no go.work, which would build the service
# with the versions that the other modules need.
CODE    = . internal/bench
MODULES = $(CODE) .tools/go
in      = set -e; for module in $(1); do ( set -x; cd $$module; $(2) ); done

# Parallel beyond the number of cores, since most tests wait, for a condition or a disk.
TEST = go test -parallel 4

# Watches the service and the driver, but not SQLite, which is C compiled to Go: it has nothing there to find that
# is ours, and makes SQLite 25 times slower, so that reads miss their deadline on a busy machine.
RACE = -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc/...=-race=false

.DEFAULT_GOAL := help

##@ Start here

.PHONY: run
run: ## Serve on an embedded SQLite database: http://127.0.0.1:8080/console/
	@go build -ldflags '$(LDFLAGS)' -o bin/message-service ./cmd/message-service
	@exec bin/message-service

.PHONY: test
test: ## Run every test on SQLite and Postgres, in a few minutes
	@$(call in,$(CODE),$(TEST) -timeout 15m ./...)

##@ Run

.PHONY: service
service: secrets ## Build the image and run it with Postgres (needs Docker with Compose), with a key in .env
	VERSION=$(VERSION) docker compose up --build --wait
	@. ./.env; key=; [ ! -t 1 ] || key="#key=$$SERVICE_KEY"; printf '%s\n' \
		"The service is up: http://127.0.0.1:$(PORT)/console/$$key" \
		"Its key is SERVICE_KEY in .env, which only you can read. To send a message:" "" \
		"  . ./.env && curl http://127.0.0.1:$(PORT)/v1/messages -H \"Authorization: Bearer \$$SERVICE_KEY\" \\" \
		"    --json '{\"sender\": \"alice\", \"recipient\": \"bob\", \"text\": \"Lunch at noon?\"}'"

# Adds to .env what is not there yet: a key for the service, and a secret to sign user tokens with.
.PHONY: secrets
secrets:
	@umask 077; touch .env; chmod 600 .env; \
		[ -z "$$(tail -c 1 .env)" ] || echo >>.env; \
		add() { grep -q "^$$1=." .env || echo "$$1=$$2$$(od -An -N 32 -t x1 /dev/urandom | tr -d ' \n')" >>.env; }; \
		add SERVICE_KEY; add TOKEN_SECRETS first=

.PHONY: start-db
start-db: ## Run only Postgres (needs Docker with Compose)
	docker compose up --wait db

.PHONY: dev
dev: start-db ## Serve from source on that Postgres
	@go build -ldflags '$(LDFLAGS)' -o bin/message-service ./cmd/message-service
	@DATABASE_URL='postgres://message-service:$(POSTGRES_PASSWORD)@127.0.0.1:$(POSTGRES_PORT)/message-service' exec bin/message-service

.PHONY: stop
stop: ## Stop the containers of service and start-db; the data stays
	docker compose down

##@ Test

.PHONY: unit-test
unit-test: ## Run the tests that need nothing but Go: SQLite only, no race detector
	@$(call in,$(CODE),go test -short -timeout 5m ./...)

.PHONY: full-test
full-test: ## Run every test at full size: large stores, long feeds
	@$(call in,$(CODE),TEST_SIZE=full $(TEST) -timeout 20m ./...)

.PHONY: race-test
race-test: ## Run every test with the race detector (needs a C compiler)
	@$(call in,$(CODE),$(TEST) $(RACE) -timeout 30m ./...)

# On two idle cores: kills 2 minutes, full sizes 4, stores of 1,000,000 messages 5, load 10.
.PHONY: soak
soak: build ## Kill and restart, fill, and load both engines, for 20 minutes; ends with tables (Linux)
	TEST_ROUNDS=40 go test -count=1 -v -timeout 20m -run '^TestKillRounds$$' ./cmd/message-service
	TEST_SIZE=full $(TEST) -count=1 -timeout 20m -run '^Test(Plans|Feed.*)$$' ./internal/messaging ./internal/apitest
	go -C internal/bench run . --only mailboxes,soak --others 1000000 --rounds 1

.PHONY: functional-test
functional-test: ## Test a running server: make functional-test BASE_URL=http://... [TOKEN=...]
	@BASE_URL='$(BASE_URL)' TOKEN='$(TOKEN)' go test -tags functional -count=1 -v -run TestRunningServer ./internal/apitest

.PHONY: contract-test
contract-test: tools build ## Search the built binary for answers that break the contract
	go test -tags tools -count=1 -timeout 15m -run '^TestContract$$' ./internal/apitest

.PHONY: pooler-test
pooler-test: build ## Test the API through PgBouncer in transaction mode
	@.tools/install-pgbouncer
	go test -tags tools -count=1 -timeout 10m -run '^TestPooler' ./internal/apitest

.PHONY: issuer-test
issuer-test: tools build ## Test tokens of an OpenID provider, through changes of its keys and outages
	go test -tags tools -count=1 -timeout 5m -run '^TestIssuer$$' ./internal/apitest

.PHONY: sdk-test
sdk-test: tools build ## Test the SDKs against the built binary
	go test -count=1 ./api/messageservice
	go test -tags tools -count=1 -timeout 10m -run '^Test(GoSDK.*|TypeScript|Python)$$' ./internal/apitest

.PHONY: console-test
console-test: tools build ## Test the stores of the console, and its screens in Chromium
	@$(TOOLS) node --test --test-reporter=dot 'console/test/*.test.ts'
	go test -tags tools -count=1 -timeout 10m -run '^TestConsoleBrowser$$' ./internal/apitest

.PHONY: console-picture
console-picture: tools build ## Take the screenshot of the README again
	PICTURE=docs/images/console.png go test -tags tools -count=1 -timeout 5m -run '^TestConsolePicture$$' ./internal/apitest

.PHONY: generators-test
generators-test: tools build ## Generate clients from the contract with other generators, and compile them (needs a JDK and Maven)
	@.tools/generators/install
	go test -tags tools -count=1 -parallel 2 -timeout 10m -run '^Test(Generators|Importers)$$' ./internal/apitest

.PHONY: docs-test
docs-test: tools build ## Test the documentation page in Chromium, and run every sample in it and in all documents
	@.tools/install-proxies
	go test -tags tools -count=1 -timeout 20m -run '^Test(Browser|SDKDocuments|README|MakeService|Tour|Operations|DeployGuide|InboxGuide|GroupsGuide|TokensGuide|SwitchingGuide|Security|Proxies|ContractCurls)$$' ./internal/apitest

.PHONY: bench
bench: build ## Measure the server on both engines, beside pgbench, into internal/bench/results (Linux)
	go -C internal/bench run . --out results

.PHONY: bench-short
bench-short: build ## Check in under a minute that the benchmarks work, whatever the figures (Linux)
	go -C internal/bench run . --short

##@ Change

.PHONY: tools
tools: ## Install the pinned Node and Python tools into .tools (needs Python 3.11)
	@.tools/install

.PHONY: generate
generate: tools ## Generate the server interface, the SDKs and the console, and docs/configuration.md
	@go generate ./api
	@cp LICENSE api/sdk/typescript/package.json api/sdk/typescript/tsconfig.json api/sdk/typescript/README.md api/sdk/typescript/.npmrc gen/typescript
	@cp api/sdk/typescript/src/*.ts gen/typescript/src
	@$(TOOLS) openapi-typescript api/openapi.yaml --output gen/typescript/src/schema.ts >/dev/null
	@cp LICENSE api/sdk/python/pyproject.toml api/sdk/python/README.md gen/python
	@$(TOOLS) openapi-python-client generate --path api/openapi.yaml --meta none --overwrite --fail-on-warning \
		--config api/sdk/python/openapi-python-client.yaml --custom-template-path api/sdk/python/templates \
		--output-path gen/python/message_service_client >/dev/null
	@cp api/sdk/python/src/*.py gen/python/message_service_client
	@touch gen/python/message_service_client/py.typed
	@mkdir -p gen/console && cp console/index.html console/icon.svg gen/console && cp console/assets.go.txt gen/console/assets.go
	@NODE_PATH=.tools/node_modules $(TOOLS) esbuild console/src/main.ts --tsconfig=console/tsconfig.json --bundle --minify \
		--format=iife --target=es2022 --legal-comments=none --log-level=warning --outfile=gen/console/console.js
	@go run ./cmd/message-service configuration > docs/configuration.md.new && mv docs/configuration.md.new docs/configuration.md || { rm -f docs/configuration.md.new; exit 1; }

.PHONY: verify
verify: tools ## Fail if gen/ or docs/configuration.md is not what "make generate" makes, or not in git, or a go.mod is untidy, or the contract broke
	@before=$$(mktemp -d) && trap 'rm -r '$$before EXIT && cp -r gen docs/configuration.md $$before && \
		find gen -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -delete && $(MAKE) --no-print-directory generate && \
		{ diff -r -x node_modules -x dist $$before/gen gen && diff $$before/configuration.md docs/configuration.md || { echo "verify: gen/ or docs/configuration.md was not what make generate makes; now it is" >&2; exit 1; }; }
	@untracked=$$(git ls-files --others --exclude-standard -- gen); \
		test -z "$$untracked" || { echo "verify: not in git: $$untracked" >&2; exit 1; }
	@$(call in,$(MODULES),go mod tidy -diff; go mod verify)
	$(OASDIFF) breaking --fail-on WARN api/released.yaml api/openapi.yaml

.PHONY: release-contract
release-contract: ## Release api/openapi.yaml: later contracts must not break it
	cp api/openapi.yaml api/released.yaml

.PHONY: lint
lint: tools ## Check style, import rules, and the contract
	@$(call in,$(CODE),$(GOLANGCI) run --build-tags functional,tools ./...)
	$(TOOLS) tsc --project console
	$(TOOLS) tsc --project console/test
	cd api && $(TOOLS) redocly lint main --config redocly.yaml
	cd api && $(TOOLS) spectral lint openapi.yaml --ruleset spectral.yaml --fail-severity warn
	@git ls-files '*.ts' '*.js' '*.mjs' '*.py' ':!gen' | xargs wc -l | awk '$$2 != "total" && $$1 > 300 { print "lint: over 300 lines:", $$2; long = 1 } END { exit long }'

.PHONY: build
build: ## Build bin/message-service, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/message-service ./cmd/message-service

.PHONY: ci
ci: verify lint full-test race-test contract-test pooler-test issuer-test sdk-test generators-test console-test docs-test bench-short ## Everything a change must pass

.PHONY: help
help:
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
