//go:build tools

package apitest_test

import (
	"slices"
	"testing"
)

// TestGroupsGuide pastes the shell samples of the guide and compares what they print, with its program, in
// TypeScript, run where it stands.
func TestGroupsGuide(t *testing.T) {
	t.Parallel()
	p := startBinary(t)
	blocks := readBlocks(t, p, "docs/guides/groups.md")
	program := slices.IndexFunc(blocks, func(b block) bool { return b.language == "ts" })
	if program < 0 {
		t.Fatal("there is no program")
	}
	app := newTypeScriptApp(t, p)
	for i, part := range [][]block{blocks[:program], blocks[program+1:]} {
		answers, codes := paste(t, "sh", part)
		comparePasted(t, part, answers, codes)
		if i == 0 {
			runTypeScriptPrograms(t, p, app, programs("ts", blocks))
		}
	}
}
