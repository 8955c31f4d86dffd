package messageservice

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// streamBody watches the bytes of a stream for what the library that reads its events
// does not tell: that it lives, for which a comment is enough, and its retry.
type streamBody struct {
	body    io.Reader
	silence *time.Timer    // ends the connection
	longest time.Duration  // the longest that silence may last
	retry   *time.Duration // is set to what the stream asks for
	line    []byte         // the beginning of the line that is being read
}

// retryMaxBytes is longer than a line with a sensible retry.
const retryMaxBytes = 32

// Read reads. The timer runs only while it waits: who takes their time with a change is
// not to lose the connection for it.
func (b *streamBody) Read(p []byte) (int, error) {
	b.silence.Reset(b.longest)
	n, err := b.body.Read(p)
	b.silence.Stop()
	for _, c := range p[:n] {
		switch {
		case c == '\n' || c == '\r':
			b.readRetry()
			b.line = b.line[:0]
		case len(b.line) < retryMaxBytes:
			b.line = append(b.line, c)
		}
	}
	return n, err
}

// readRetry takes the milliseconds of a line that has some.
func (b *streamBody) readRetry() {
	value, ok := strings.CutPrefix(string(b.line), "retry:")
	if !ok {
		return
	}
	if milliseconds, err := strconv.ParseUint(strings.TrimPrefix(value, " "), 10, 31); err == nil {
		*b.retry = time.Duration(milliseconds) * time.Millisecond
	}
}
