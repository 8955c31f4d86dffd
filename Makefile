# The commands of a developer. "make" alone lists them.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS   = -s -w -X main.version=$(VERSION)
GOLANGCI  = go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
BASE_URL ?= http://127.0.0.1:8080

# What compose.yaml takes from .env, with the same defaults.
-include .env
PORT              ?= 8080
POSTGRES_PORT     ?= 5432
POSTGRES_PASSWORD ?= message-service

# The race detector needs a C compiler; tests run without it where there is none.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race,)

.DEFAULT_GOAL := help

##@ Start here

.PHONY: run
run: ## Serve on an embedded SQLite database: http://127.0.0.1:8080/docs/
	@go build -o bin/message-service ./cmd/message-service
	@exec bin/message-service

.PHONY: test
test: ## Run all tests on SQLite and Postgres, with the race detector if there is a C compiler
	go test $(RACE) -timeout 10m ./...

##@ Run

.PHONY: service
service: ## Build the image and run it with Postgres (needs Docker)
	VERSION=$(VERSION) docker compose up --build --wait
	@echo "The service is up: http://127.0.0.1:$(PORT)/docs/"

.PHONY: start-db
start-db: ## Run only Postgres (needs Docker)
	docker compose up --wait db

.PHONY: dev
dev: start-db ## Serve from source on that Postgres
	@go build -o bin/message-service ./cmd/message-service
	@DATABASE_URL='postgres://message-service:$(POSTGRES_PASSWORD)@127.0.0.1:$(POSTGRES_PORT)/message-service' exec bin/message-service

.PHONY: stop
stop: ## Stop what service and start-db have started; the data stays
	docker compose down

##@ Test

.PHONY: unit-test
unit-test: ## Run the tests that need nothing but Go: SQLite only, no race detector
	go test -short -timeout 5m ./...

.PHONY: functional-test
functional-test: ## Test a running server: make functional-test BASE_URL=http://...
	BASE_URL='$(BASE_URL)' go test -tags functional -count=1 -v -run TestRunningServer ./internal/apitest

.PHONY: bench
bench: ## Measure sends and pages over HTTP on both engines
	go test -run '^$$' -bench . -benchtime 3s ./internal/apitest

##@ Change

.PHONY: generate
generate: ## Generate the server interface and the client from api/openapi.yaml
	rm -rf gen && mkdir -p gen/server gen/client
	go generate ./api

.PHONY: verify
verify: ## Fail if gen/ is not what "make generate" makes, or not in git, or go.mod is untidy
	@before=$$(mktemp -d) && cp -r gen $$before && $(MAKE) --no-print-directory generate && \
		if diff -r $$before/gen gen; then rm -r $$before; else \
		echo "verify: gen/ was not what make generate makes; now it is" >&2; rm -r $$before; exit 1; fi
	@untracked=$$(git ls-files --others --exclude-standard -- gen); \
		test -z "$$untracked" || { echo "verify: not in git: $$untracked" >&2; exit 1; }
	go mod tidy -diff
	go mod verify

.PHONY: lint
lint: ## Check style and the rules on who may import whom
	$(GOLANGCI) run ./...
	$(GOLANGCI) run --build-tags functional ./internal/apitest

.PHONY: build
build: ## Build bin/message-service, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/message-service ./cmd/message-service

.PHONY: ci
ci: verify lint build test ## Everything a change must pass

.PHONY: help
help:
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
