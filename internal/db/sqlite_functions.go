package db

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql/driver"
	"errors"
	"sync"

	"modernc.org/sqlite"
)

// registerFunctions adds SQL functions to SQLite: sha256(data) and hmac_sha256(key, message) of RFC
// 2104, for a migration. They return NULL for NULL. The
// driver registers functions for the whole process.
var registerFunctions = sync.OnceValue(func() error {
	return errors.Join(
		sqlite.RegisterDeterministicScalarFunction("sha256", 1, ofBytes(func(args ...[]byte) []byte {
			sum := sha256.Sum256(args[0])
			return sum[:]
		})),
		sqlite.RegisterDeterministicScalarFunction("hmac_sha256", 2, ofBytes(func(args ...[]byte) []byte {
			mac := hmac.New(sha256.New, args[0])
			_, _ = mac.Write(args[1]) // a hash does not fail
			return mac.Sum(nil)
		})),
	)
})

// ofBytes adapts a function of byte slices to a SQL function.
func ofBytes(function func(args ...[]byte) []byte) func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
	return func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		values := make([][]byte, len(args))
		for i, arg := range args {
			switch arg := arg.(type) {
			case nil:
				return nil, nil
			case string:
				values[i] = []byte(arg)
			case []byte:
				values[i] = arg
			default:
				return nil, errors.New("neither text nor a blob")
			}
		}
		if result := function(values...); result != nil {
			return result, nil
		}
		return nil, nil
	}
}
