package contract

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/api"
	"github.com/message-service/message-service/gen/server"
)

// TestLimits compares the limits with what the contract has as their example.
func TestLimits(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(api.JSON)
	if err != nil {
		t.Fatal(err)
	}
	example, err := json.Marshal(document.Paths.Value("/v1/limits").Get.Responses.Status(200).Value.Content["application/json"].Examples["limits"].Value.Value)
	if err != nil {
		t.Fatal(err)
	}
	var want server.Limits
	decode(t, example, &want)
	want.RequestMaxBytes, want.UserMaxStreams, want.RateLimits = 0, 0, nil // not of the contract, nor of the product
	want.GroupMaxMembers, want.UserMaxGroups = 0, 0                        // options
	if got := Limits(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if TokenLifetime(nil) != time.Hour || TokenLifetime(new(int32(90))) != 90*time.Second {
		t.Errorf("tokens live for %s, or %s", TokenLifetime(nil), TokenLifetime(new(int32(90))))
	}
	if PageSize(nil) != int(want.PageMaxMessages) || PageSize(new(int32(7))) != 7 {
		t.Errorf("pages have %d messages, or %d", PageSize(nil), PageSize(new(int32(7))))
	}
}
