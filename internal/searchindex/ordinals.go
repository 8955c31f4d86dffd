package searchindex

import (
	"encoding/binary"
	"fmt"

	"github.com/message-service/message-service/internal/words"
)

// ordinals is a set of ordinals, one bit each.
type ordinals []uint64

func newOrdinals(documents int) ordinals { return make(ordinals, (documents+63)/64) }

// add adds postings.
func (o ordinals) add(postings []byte) error {
	ordinal := uint64(0)
	for len(postings) > 0 {
		delta, n := binary.Uvarint(postings)
		ordinal += delta
		if n <= 0 || delta > maxDocuments || ordinal >= uint64(64*len(o)) {
			return fmt.Errorf("%w: postings cannot be read", errDamaged)
		}
		o[ordinal/64] |= 1 << (ordinal % 64)
		postings = postings[n:]
	}
	return nil
}

// has reports whether the set has an ordinal.
func (o ordinals) has(ordinal uint32) bool {
	return int(ordinal/64) < len(o) && o[ordinal/64]&(1<<(ordinal%64)) != 0
}

// intersects reports whether some postings are in the set.
func (o ordinals) intersects(postings []byte) (bool, error) {
	ordinal := uint64(0)
	for len(postings) > 0 {
		delta, n := binary.Uvarint(postings)
		ordinal += delta
		if n <= 0 || delta > maxDocuments || ordinal >= uint64(64*len(o)) {
			return false, fmt.Errorf("%w: postings cannot be read", errDamaged)
		}
		if o.has(uint32(ordinal)) {
			return true, nil
		}
		postings = postings[n:]
	}
	return false, nil
}

// all is the set of all ordinals of a segment.
func all(documents int) ordinals {
	o := newOrdinals(documents)
	for i := range documents {
		o[i/64] |= 1 << (i % 64)
	}
	return o
}

// addTerm adds the postings of a term's words in a block.
func (o ordinals) addTerm(data []byte, t words.Term) error {
	if !t.Prefix {
		postings, err := find(data, t.Word)
		if err != nil {
			return err
		}
		return o.add(postings)
	}
	r := blockReader{rest: data}
	for {
		ok, err := r.next()
		if err != nil || !ok {
			return err
		}
		if len(r.word) >= len(t.Word) && string(r.word[:len(t.Word)]) == t.Word {
			if err := o.add(r.postings); err != nil {
				return err
			}
		}
	}
}
