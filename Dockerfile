# syntax=docker/dockerfile:1

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=unknown
ENV GOCACHE=/cache
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/cache \
    make build VERSION=$VERSION && mkdir /data

# No shell, no package manager; root certificates, and the user nonroot (65532).
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /src/bin/message-service /message-service
COPY --from=build --chown=65532:65532 /data /data

# Without DATABASE_URL the SQLite file is here: mount a volume.
WORKDIR /data
VOLUME /data

# In a container every client is remote, so each request needs a credential, and the service does not start without
# a key, a secret or an issuer, such as SERVICE_KEY.
ENV LISTEN_ADDRESS=0.0.0.0:8080 LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=4s --start-period=40s CMD ["/message-service", "health"]
ENTRYPOINT ["/message-service"]
