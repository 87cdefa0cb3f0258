// Package inspect has the commands that look at files and need no device: inspect, verify, package.
package inspect
