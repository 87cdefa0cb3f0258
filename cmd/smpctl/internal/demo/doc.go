// Package demo shows a station without hardware: virtual boards that hands plug in, that are flashed, and that fail as
// boards do. It makes a folder with all that a station needs, plays the hands, and knows of the station only what it
// shows.
package demo
