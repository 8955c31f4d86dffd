package mailbox

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// TestIDGenerator makes ids while the wall clock jumps about.
func TestIDGenerator(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		wall := time.Now()
		g := newIDGenerator(func() time.Time { return wall })
		var last ID
		t.Repeat(map[string]func(*rapid.T){
			"jump": func(t *rapid.T) {
				wall = wall.Add(time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "nanoseconds")))
			},
			"next": func(t *rapid.T) {
				last = checkIDs(t, g.next(rapid.IntRange(1, 5000).Draw(t, "ids")), last)
			},
		})
	})
}

// TestIDsAfter makes ids above any id, its own or one of a broken clock.
func TestIDsAfter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(0, maxMilliseconds-1000).Draw(t, "ms"))
		made := newIDGenerator(func() time.Time { return at }).next(rapid.IntRange(1, 5000).Draw(t, "made"))
		newest := made[len(made)-1]
		last := checkIDs(t, idsAfter(newest, rapid.IntRange(1, 5000).Draw(t, "ids")), newest)
		if drift := last.Time().Sub(newest.Time()); drift > 3*time.Millisecond {
			t.Fatalf("%s is %v after %s", last, drift, newest)
		}
	})
}

// checkIDs checks that ids are UUIDs of version 7 that increase from last on, and
// returns the last one.
func checkIDs(t *rapid.T, ids []ID, last ID) ID {
	for _, id := range ids {
		if id.Compare(last) <= 0 {
			t.Fatalf("made %s after %s", id, last)
		}
		if u := uuid.UUID(id); u.Version() != 7 || u.Variant() != uuid.RFC4122 {
			t.Fatalf("%s is of version %d, variant %s", id, u.Version(), u.Variant())
		}
		last = id
	}
	return last
}

func TestIDGeneratorFollowsTheWallClock(t *testing.T) {
	t.Parallel()
	before := time.Now().UnixMilli()
	id := newIDGenerator(time.Now).next(1)[0]
	if ms := id.Time().UnixMilli(); ms < before || ms > time.Now().UnixMilli() {
		t.Errorf("%s is of %v, not now", id, id.Time())
	}
}

func TestIDGeneratorConcurrently(t *testing.T) {
	t.Parallel()
	g := newIDGenerator(time.Now)
	made := make([][]ID, 8)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			for range 1000 {
				made[i] = append(made[i], g.next(3)...)
			}
		})
	}
	wg.Wait()
	for _, ids := range made {
		if !slices.IsSortedFunc(ids, ID.Compare) {
			t.Error("one caller's ids do not increase")
		}
	}
	all := slices.SortedFunc(slices.Values(slices.Concat(made...)), ID.Compare)
	if len(slices.Compact(all)) != 8*3000 {
		t.Error("an id was made twice")
	}
}

func TestFirstIDAt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(0, maxMilliseconds-1).Draw(t, "ms"))
		id := newIDGenerator(func() time.Time { return at }).next(1)[0]
		if !id.Time().Equal(at) {
			t.Fatalf("%s is of %v, want %v", id, id.Time(), at)
		}
		if first := FirstIDAt(at); first.Compare(id) > 0 {
			t.Fatalf("%s is below the first id of its time, %s", id, first)
		}
		if next := FirstIDAt(at.Add(time.Nanosecond)); next.Compare(id) <= 0 {
			t.Fatalf("%s is not below the first id of later times, %s", id, next)
		}
	})
	for _, out := range []time.Time{{}, time.UnixMilli(-1), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)} {
		if id := FirstIDAt(out); out.Year() < 9999 && id != (ID{}) || out.Year() == 9999 && !id.Time().Equal(out) {
			t.Errorf("the first id at %v is %s", out, id)
		}
	}
}

func TestSuccessor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		if next := id.Successor(); id != LastID && next.Compare(id) <= 0 {
			t.Fatalf("the successor of %s is %s", id, next)
		}
	})
	if next := LastID.Successor(); next != LastID {
		t.Errorf("the successor of the last id is %s", next)
	}
}
