package httpapi

import (
	"bytes"
	"compress/gzip"
	"mime"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// compressFrom is the size in bytes from which responses are compressed.
const compressFrom = 8 << 10

// compressorBytes is about the memory of a gzip.Writer.
const compressorBytes = 1 << 20

// varyByEncoding adds Vary: Accept-Encoding, so that caches keep compressed responses apart.
func (s *Server) varyByEncoding(next echo.HandlerFunc) echo.HandlerFunc {
	if !s.compress {
		return next
	}
	return func(c echo.Context) error {
		c.Response().Header().Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
		return next(c)
	}
}

// acceptsGzip reports whether an Accept-Encoding header (RFC 9110, 12.5.3) accepts gzip with at least
// the quality of identity.
func acceptsGzip(header http.Header) bool {
	qualities := map[string]float64{}
	for member := range strings.SplitSeq(strings.Join(header.Values(echo.HeaderAcceptEncoding), ","), ",") {
		coding, parameters, err := mime.ParseMediaType(member)
		if err != nil {
			continue
		}
		quality := 1.0
		if q, ok := parameters["q"]; ok {
			if quality, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		qualities[strings.TrimPrefix(coding, "x-")] = quality
	}
	quality, named := qualities["gzip"]
	if !named {
		quality = qualities["*"]
	}
	return quality > 0 && quality >= qualities["identity"]
}

// compressor compresses whole responses.
type compressor struct {
	writer *gzip.Writer
	out    bytes.Buffer
}

var compressors = sync.Pool{New: func() any { return &compressor{writer: newGzip()} }}

// compressing is a semaphore with a slot for each processor: more compressors at a time would take
// memory without being faster.
var compressing = make(chan struct{}, runtime.GOMAXPROCS(0))

func newGzip() *gzip.Writer {
	writer, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // it fails only on an invalid level
	return writer
}

// compress returns a compressed copy of a body and sets Content-Encoding, if the client accepts gzip
// and the copy is smaller. Otherwise it returns the body itself.
func compress(x *exchange, header http.Header, body []byte) []byte {
	if len(body) < compressFrom || !x.wantsCompressed() {
		return body
	}
	compressing <- struct{}{}
	defer func() { <-compressing }()
	c := compressors.Get().(*compressor)
	defer compressors.Put(c)
	c.out.Reset()
	c.writer.Reset(&c.out)
	_, _ = c.writer.Write(body) // a buffer does not fail
	_ = c.writer.Close()
	if c.out.Len() >= len(body) {
		return body
	}
	header.Set(echo.HeaderContentEncoding, "gzip")
	return bytes.Clone(c.out.Bytes())
}
