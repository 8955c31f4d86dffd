package httpapi

import (
	"context"
	"time"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/identity"
)

// CreateKey answers POST /v1/keys.
func (h *handlers) CreateKey(ctx context.Context, request server.CreateKeyRequestObject) (server.CreateKeyResponseObject, error) {
	key, secret, err := h.identity.CreateKey(ctx, exchangeOf(ctx).by(), keyRequest(request.Body))
	if err != nil {
		return nil, err
	}
	return server.CreateKey201JSONResponse{Key: serviceKey(&key), Secret: secret}, nil
}

// ListKeys answers GET /v1/keys.
func (h *handlers) ListKeys(ctx context.Context, _ server.ListKeysRequestObject) (server.ListKeysResponseObject, error) {
	keys, err := h.identity.ListKeys(ctx, exchangeOf(ctx).by())
	if err != nil {
		return nil, err
	}
	list := make([]server.Key, len(keys))
	for i := range keys {
		list[i] = serviceKey(&keys[i])
	}
	return server.ListKeys200JSONResponse{Keys: list}, nil
}

// RevokeKey answers DELETE /v1/keys/{keyId}.
func (h *handlers) RevokeKey(ctx context.Context, request server.RevokeKeyRequestObject) (server.RevokeKeyResponseObject, error) {
	if err := h.identity.RevokeKey(ctx, exchangeOf(ctx).by(), request.KeyID); err != nil {
		return nil, err
	}
	return server.RevokeKey204Response{}, nil
}

// keyRequest is the service key that a request asks for.
func keyRequest(r *server.CreateKeyRequest) identity.KeyRequest {
	scopes := make([]identity.Scope, len(r.Scopes))
	for i, scope := range r.Scopes {
		scopes[i] = identity.Scope(scope)
	}
	return identity.KeyRequest{Name: r.Name, Scopes: scopes, Expires: r.ExpiresAt}
}

// serviceKey is a key without what is secret.
func serviceKey(k *identity.Key) server.Key {
	key := server.Key{ID: k.ID, Name: k.Name, Scopes: make([]string, len(k.Scopes)), CreatedAt: timestamp(k.Created)}
	for i, scope := range k.Scopes {
		key.Scopes[i] = string(scope)
	}
	if !k.Expires.IsZero() {
		key.ExpiresAt = new(timestamp(k.Expires))
	}
	if !k.LastUsed.IsZero() {
		key.LastUsedOn = &openapi_types.Date{Time: k.LastUsed}
	}
	return key
}

// timestamp is a time to the millisecond and in UTC.
func timestamp(t time.Time) server.Timestamp { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
