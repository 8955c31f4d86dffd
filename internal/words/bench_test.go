package words_test

import (
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/words"
)

// languages have a sentence each, of which BenchmarkOf and BenchmarkMatch make texts of 4 kB.
var languages = []struct{ name, text, query string }{
	{"ASCII", "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood. ", "conscience rights"},
	{"Cyrillic", "Все люди рождаются свободными и равными в своём достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства. ", "совестью правах"},
	{"Hindi", "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है। ", "अधिकारों बुद्धि"},
	{"Chinese", "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。", "权利 良心"},
	{"Thai", "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม ", "สิทธิ เหตุผล"},
	{"Japanese", "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。", "権利 自由"},
	{"Korean", "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. ", "권리 자유"},
}

// text repeats a sentence up to 4 kB, with a number each time, so that not all words are the same.
func text(sentence string) string {
	var b strings.Builder
	for n := 1000; b.Len() < 4096; n++ {
		b.WriteString(sentence)
		b.WriteString(strings.Repeat(string(rune('a'+n%26)), 3))
		b.WriteByte(' ')
	}
	return b.String()
}

func BenchmarkOf(b *testing.B) {
	for _, l := range languages {
		b.Run(l.name, func(b *testing.B) {
			text := text(l.text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				words.Of(text)
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, l := range languages {
		b.Run(l.name, func(b *testing.B) {
			text := text(l.text)
			q := parse(b, l.query)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := q.Match(text); !ok {
					b.Fatal("no match")
				}
			}
		})
	}
}

// BenchmarkHostile has the texts that would take long if something were quadratic.
func BenchmarkHostile(b *testing.B) {
	for name, c := range map[string]struct{ text, query string }{
		"marks":   {"क" + strings.Repeat("\u0323\u093C\u094D\u0E38\u0E48", 800), "क"},
		"ASCII":   {strings.Repeat("a", 4096), strings.Repeat("a", 128)},
		"a a":     {strings.Repeat("a ", 2048), strings.Repeat("a-", 31) + "b"},
		"Han":     {strings.Repeat("可", 4096), strings.Repeat("可", 127) + "能"},
		"expands": {strings.Repeat("ﷺ", 4096), strings.Repeat("ﷺ", 128)},
	} {
		b.Run(name, func(b *testing.B) {
			q := parse(b, c.query)
			b.SetBytes(int64(len(c.text)))
			for b.Loop() {
				words.Of(c.text)
				q.Match(c.text)
			}
		})
	}
}
