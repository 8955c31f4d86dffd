package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"
)

// withTokens are the options of a server that accepts the tokens of newTokens. Its limits count every request,
// and are so high that they refuse none.
var withTokens = []string{
	"--auth", "required", "--token-secrets", "bench=" + tokenSecret, "--token-audience", "bench",
	"--rate-limit-send", "1000000/1s", "--rate-limit-read", "1000000/1s",
}

const tokenSecret = "a-secret-of-servers-that-end-with-the-run"

// newTokens returns for each of the first users the header with a token, as long as a day valid.
func newTokens(users int) (headers []string) {
	encode := base64.RawURLEncoding.EncodeToString
	for user := range users {
		now := time.Now().Unix()
		token := encode([]byte(`{"alg":"HS256","kid":"bench"}`)) + "." +
			encode(fmt.Appendf(nil, `{"sub":"user-%d","aud":"bench","iat":%d,"exp":%d}`, user, now, now+24*60*60))
		signature := hmac.New(sha256.New, []byte(tokenSecret))
		_, _ = signature.Write([]byte(token)) // never fails
		headers = append(headers, "Authorization: Bearer "+token+"."+encode(signature.Sum(nil))+"\r\n")
	}
	return headers
}

// authentication measures sends and pages of users with tokens, and the same without authentication, in pairs:
// the ratio is to be known more exactly than the machine is even.
func (s *suite) authentication(ctx context.Context) error {
	var pairs []measurement
	for _, engine := range engines {
		var sends, pages []measurement
		for _, who := range []struct {
			title           string
			options, tokens []string
		}{{"", []string{"--auth", "off"}, make([]string, fewUsers)}, {" with tokens", withTokens, newTokens(fewUsers)}} {
			server, err := s.startServer(ctx, engine, who.options...)
			if err == nil {
				err = s.fillPages(ctx, server.process, who.tokens...)
			}
			if err != nil {
				return err
			}
			sends = append(sends, s.sendLoad(64, sending{users: fewUsers, tokens: who.tokens}).of(server.process, engine.title+", sends"+who.title))
			pages = append(pages, s.pageLoad(100, 64, who.tokens...).of(server.process, engine.title+", pages of 100"+who.title))
		}
		pairs = slices.Concat(pairs, sends, pages)
	}
	rounds := 3 * s.Rounds
	if s.Short {
		rounds = 1
	}
	if err := s.measureAll(ctx, rounds, pairs); err != nil {
		return err
	}
	for pair := range slices.Chunk(s.result.Figures, 2) {
		ratios := pair[1].ratiosTo(pair[0])
		name := pair[1].Subject + ", to those without"
		s.result.atLeast(fmt.Sprintf("%s, median of %d pairs", name, len(ratios)), median(ratios), 0.97, "times")
		s.result.record(name+", lower quartile", quantile(ratios, 0.25), "times")
		s.result.record(name+", upper quartile", quantile(ratios, 0.75), "times")
	}
	return nil
}
