package db

import (
	"bytes"
	"context"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"unsafe"

	"github.com/jmoiron/sqlx"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// TestMemory checks that what several goroutines allocate keeps its content, also in another size, and that it is freed.
func TestMemory(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	before := slotsInUse(t)
	var running sync.WaitGroup
	for i := range uint64(4) {
		running.Go(func() {
			tls := libc.NewTLS()
			defer tls.Close()
			random := rand.New(rand.NewPCG(seed, i))
			sizes := []int32{64, 2048, 2048 + descriptive, 4096, 4096 + descriptive, 20_000}
			size := func() int32 { return sizes[random.IntN(len(sizes))] + random.Int32N(32) - 16 }
			var all [][]byte // each has the same byte everywhere
			for range 5000 {
				if n := size(); len(all) < 100 {
					all = append(all, filled(allocate(tls, n), n, byte(random.Uint32())))
					continue
				}
				place := random.IntN(len(all))
				one := all[place]
				if !bytes.Equal(one, bytes.Repeat(one[:1], len(one))) {
					t.Error("another has written to it")
					return
				}
				if n := size(); random.IntN(2) == 0 {
					mark := one[0]
					moved := reallocate(tls, addressOf(one), n)
					kept := min(int(n), len(one))
					if !bytes.Equal(unsafe.Slice(at[byte](moved), kept), bytes.Repeat([]byte{mark}, kept)) {
						t.Errorf("%d bytes lose their content when they become %d", len(one), n)
						return
					}
					all[place] = filled(moved, n, mark+1)
					continue
				}
				free(tls, addressOf(one))
				all[place] = all[len(all)-1]
				all = all[:len(all)-1]
			}
			for _, one := range all {
				free(tls, addressOf(one))
			}
		})
	}
	running.Wait()
	if after := slotsInUse(t); after != before {
		t.Errorf("%v slots are in use, before it were %v", after, before)
	}
}

func addressOf(memory []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(memory))) }

// filled fills memory with a byte, unless it is not aligned as SQLite has it.
func filled(address uintptr, size int32, mark byte) []byte {
	if address%8 != 0 {
		panic("the memory is not aligned")
	}
	memory := unsafe.Slice(at[byte](address), size)
	copy(memory, bytes.Repeat([]byte{mark}, int(size)))
	return memory
}

// slotsInUse counts the slots in use of slabs with free ones, and checks that at most one is empty.
func slotsInUse(t *testing.T) (counts [len(pageSlabs)]int32) {
	t.Helper()
	for i, s := range pageSlabs {
		for empty, address := 0, s.open; address != 0; address = at[slab](address).next {
			counts[i] += at[slab](address).used
			if at[slab](address).used == 0 {
				empty++
			}
			if empty > 1 {
				t.Errorf("%d slabs for pages of %d bytes are empty", empty, s.page)
			}
		}
	}
	return counts
}

// TestPagesInSlabs checks that pages of SQLite's caches come from slabs, 28 of 2 kB in 64 KiB.
func TestPagesInSlabs(t *testing.T) {
	tls := libc.NewTLS()
	defer tls.Close()
	arguments, size := tls.Alloc(8), tls.Alloc(8)
	defer tls.Free(8)
	defer tls.Free(8)
	if code := sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_PCACHE_HDRSZ, libc.VaList(arguments, size)); code != sqlite3.SQLITE_OK {
		t.Fatalf("SQLite answers %d", code)
	}
	described := *at[int32](size)
	for _, s := range pageSlabs {
		if slabsFor(s.page+described) != s {
			t.Errorf("pages of %d bytes and %d that describe them are in no slab of theirs", s.page, described)
		}
		if n := s.slots(); int(n)*int(s.page) < 56<<10 {
			t.Errorf("a slab has %d pages of %d bytes", n, s.page)
		}
	}
}

// TestCachesApart checks that a cache never takes pages of another connection's: of the group that all would be in without
// separateCaches, none is.
func TestCachesApart(t *testing.T) {
	opened, err := Open("sqlite:"+filepath.Join(t.TempDir(), "store.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = opened.Tx(t.Context(), readTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, "CREATE TABLE t (n)")
		return err
	})
	if pageCaches.FisInit == 0 {
		t.Error("these are not the caches of SQLite")
	}
	if group := pageCaches.Fgrp; err != nil || group.FnMaxPage != 0 || group.FnPurgeable != 0 {
		t.Errorf("there are %d pages of caches in common, and may be %d; the error is %v", group.FnPurgeable, group.FnMaxPage, err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
}
