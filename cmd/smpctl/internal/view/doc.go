// Package view shows what several commands have to show of a device or an image: its JSON, and its text.
package view
