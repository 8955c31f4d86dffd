package db

import (
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Most memory of SQLite is its caches. A cached page is one allocation, of the page and some 270 bytes that describe it,
// and the driver's allocator rounds sizes up to a power of two: a page of 2 kB would take 4. So pages are allocated from
// slabs of 64 KiB, which hold 28 pages of 2 kB instead of 15, and all else from the driver's allocator.
var memoryMethods = sqlite3.Tsqlite3_mem_methods{
	FxMalloc: pointer(allocate), FxFree: pointer(free), FxRealloc: pointer(reallocate), FxSize: pointer(sizeOf),
	FxRoundup:  pointer(func(_ *libc.TLS, size int32) int32 { return (size + 7) &^ 7 }),
	FxInit:     pointer(func(*libc.TLS, uintptr) int32 { return sqlite3.SQLITE_OK }),
	FxShutdown: pointer(func(*libc.TLS, uintptr) {}),
}

// allocation is in front of what SQLite gets.
type allocation struct {
	size int32 // without this
	slot int32 // the number of the slot in its slab, if it is one
}

const allocationBytes = int32(unsafe.Sizeof(allocation{}))

func allocationOf(address uintptr) *allocation {
	return at[allocation](address - uintptr(allocationBytes))
}

func allocate(tls *libc.TLS, size int32) uintptr {
	if s := slabsFor(size); s != nil {
		return s.allocate(tls, size)
	}
	address := libc.Xmalloc(tls, libc.Tsize_t(size+allocationBytes))
	if address == 0 {
		return 0
	}
	at[allocation](address).size = size
	return address + uintptr(allocationBytes)
}

func free(tls *libc.TLS, address uintptr) {
	if s := slabsFor(sizeOf(tls, address)); s != nil {
		s.free(tls, address)
		return
	}
	libc.Xfree(tls, address-uintptr(allocationBytes))
}

func reallocate(tls *libc.TLS, address uintptr, size int32) uintptr {
	if slabsFor(size) == nil && slabsFor(sizeOf(tls, address)) == nil {
		if address = libc.Xrealloc(tls, address-uintptr(allocationBytes), libc.Tsize_t(size+allocationBytes)); address == 0 {
			return 0
		}
		at[allocation](address).size = size
		return address + uintptr(allocationBytes)
	}
	moved := allocate(tls, size)
	if moved != 0 {
		n := min(size, sizeOf(tls, address))
		copy(unsafe.Slice(at[byte](moved), n), unsafe.Slice(at[byte](address), n))
		free(tls, address)
	}
	return moved
}

func sizeOf(_ *libc.TLS, address uintptr) int32 { return allocationOf(address).size }

const (
	slabBytes   = 64<<10 - 32 // 64 KiB with what the driver's allocator adds
	descriptive = 288         // what a slot has beside a page
)

// pageSlabs are those for the page size of new files, and for SQLite's default, which older files have.
var pageSlabs = [...]*slabs{{page: 2048}, {page: 4096}}

// slabsFor returns the slabs from which a size is allocated, or nil.
func slabsFor(size int32) *slabs {
	for _, s := range pageSlabs {
		if size > s.page && size <= s.page+descriptive-allocationBytes {
			return s
		}
	}
	return nil
}

// slabs are those for a page size.
type slabs struct {
	page int32

	mu   sync.Mutex
	open uintptr // the first slab that has a free slot; they are a doubly linked list
}

// slab is at the beginning of a slab; its slots follow.
type slab struct {
	next, previous uintptr
	freed          uintptr // the free slot that was used last; each has the address of the one before
	used           int32   // slots in use
	touched        int32   // slots that were ever in use, so that those that were not take no memory
	_              int32   // so that slots are aligned to 8 bytes, as SQLite has it, where an address has 4
}

func (s *slabs) slotBytes() int32 { return s.page + descriptive }
func (s *slabs) slots() int32     { return (slabBytes - int32(unsafe.Sizeof(slab{}))) / s.slotBytes() }

// slot returns the address that SQLite has of a slot.
func (s *slabs) slot(slabAt uintptr, number int32) uintptr {
	return slabAt + unsafe.Sizeof(slab{}) + uintptr(number*s.slotBytes()+allocationBytes)
}

func (s *slabs) allocate(tls *libc.TLS, size int32) uintptr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == 0 {
		added := libc.Xmalloc(tls, slabBytes)
		if added == 0 {
			return 0
		}
		*at[slab](added) = slab{}
		s.link(added)
	}
	slabAt := s.open
	from := at[slab](slabAt)
	address := from.freed
	if address != 0 {
		from.freed = *at[uintptr](address)
	} else {
		address = s.slot(slabAt, from.touched)
		allocationOf(address).slot = from.touched
		from.touched++
	}
	if from.used++; from.used == s.slots() {
		s.unlink(slabAt)
	}
	allocationOf(address).size = size
	return address
}

// free keeps an empty slab only if no other has a free slot.
func (s *slabs) free(tls *libc.TLS, address uintptr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slabAt := address - s.slot(0, allocationOf(address).slot)
	to := at[slab](slabAt)
	*at[uintptr](address) = to.freed
	to.freed = address
	if to.used == s.slots() {
		s.link(slabAt)
	}
	if to.used--; to.used == 0 && (to.next != 0 || to.previous != 0) {
		s.unlink(slabAt)
		libc.Xfree(tls, slabAt)
	}
}

func (s *slabs) link(slabAt uintptr) {
	linked := at[slab](slabAt)
	linked.next, linked.previous = s.open, 0
	if s.open != 0 {
		at[slab](s.open).previous = slabAt
	}
	s.open = slabAt
}

func (s *slabs) unlink(slabAt uintptr) {
	unlinked := at[slab](slabAt)
	if unlinked.next != 0 {
		at[slab](unlinked.next).previous = unlinked.previous
	}
	if unlinked.previous == 0 {
		s.open = unlinked.next
	} else {
		at[slab](unlinked.previous).next = unlinked.next
	}
}
