// Package browser holds the page of a station against a real Chromium, as an operator and an attacker see it. There are
// only tests here: `bash .ci/run browser` runs them, `make pictures` takes those of docs/pictures anew.
//
// Tests of the page alone serve package page in this process and show it views, so that every state comes when it is
// asked for. Tests of the whole station start smpctl as a process of its own, with boards of package sim.
package browser
