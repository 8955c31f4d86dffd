package db

import (
	_ "unsafe" // for go:linkname

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// separateCaches gives each connection a page cache of its own. The driver is compiled so that they would be one, in which
// connections lock each other out for each page that they read, and a read takes pages from the writer.
func separateCaches() { pageCaches.FseparateCache = 1 }

//go:linkname pageCaches modernc.org/sqlite/lib._pcache1_g
var pageCaches sqlite3.TPCacheGlobal

// cacheMethods are SQLite's, but for renumber.
var cacheMethods sqlite3.Tsqlite3_pcache_methods2

type renumberFunction func(tls *libc.TLS, cache, page uintptr, from, to uint32)

var renumberUsual renumberFunction

// replaceRenumber puts renumber into cacheMethods, which have SQLite's.
func replaceRenumber() {
	renumberUsual = function[renumberFunction](cacheMethods.FxRekey)
	cacheMethods.FxRekey = pointer(renumberFunction(renumber))
}

// lockBytes is where in a file the bytes are that SQLite locks (https://www.sqlite.org/fileformat2.html#the_lock_byte_page).
const lockBytes = 1 << 30

// renumber gives a cached page another number. When SQLite splits a page, it swaps the numbers of two, and one of them
// has that of the page of lockBytes meanwhile, in which there is nothing. The cache would take that for the greatest number from then
// on, and the commit, which drops pages after the end of the file, would look for some among all that are cached.
func renumber(tls *libc.TLS, cache, page uintptr, from, to uint32) {
	c := at[sqlite3.TPCache1](cache)
	greatest := c.FiMaxKey
	renumberUsual(tls, cache, page, from, to)
	if to == uint32(lockBytes/c.FszPage+1) {
		c.FiMaxKey = greatest
	}
}
