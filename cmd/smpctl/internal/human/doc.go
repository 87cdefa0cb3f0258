// Package human writes numbers, sizes and times for people.
package human
