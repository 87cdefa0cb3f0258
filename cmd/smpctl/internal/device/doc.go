// Package device is the way to a device: from flags, environment and saved profiles to an address, from there to a
// client of package smp, and to the same device again when its port comes back under another name after a reset.
//
//	flags, SMPCTL_PORT, profile ──> Settings ──> Device ──Connect──> *smp.Client
//	                                               ^                     │ reset
//	                                               └──── same board? <───┘
package device
