package sim

import (
	"encoding/binary"
	"maps"
	"strings"

	"github.com/smpctl/smpctl/smp"
)

// settingsCommand is the table of the settings group (Zephyr smp_group_3.rst, settings_mgmt.c).
func settingsCommand(id uint8) command {
	switch id {
	case 0:
		return command{read: settingsRead, write: settingsWrite}
	case 1:
		return command{write: settingsDelete}
	case 2:
		return command{write: settingsCommit}
	case 3:
		return command{read: settingsLoad, write: settingsSave}
	}
	return command{}
}

// Limits of names (CONFIG_MCUMGR_GRP_SETTINGS_NAME_LEN, terminator included) and values, and of what the application
// keeps. All of it must fit the first sector of a flash file, twice.
const (
	maxSettingName  = 31
	maxSettingValue = 64
	maxSettings     = 8
)

// The application's settings live below one root: "demo/name" and "demo/count" have values from the start, others come
// with the first write. "demo/serial" can only be read, "demo/key" only be written.
const (
	settingsRoot     = "demo/"
	settingReadOnly  = settingsRoot + "serial"
	settingWriteOnly = settingsRoot + "key"
)

// settings are values by name.
type settings map[string][]byte

// factorySettings are the values of a device that nobody has changed.
func factorySettings() settings {
	return settings{
		settingsRoot + "name":  []byte("smpctl"),
		settingsRoot + "count": binary.LittleEndian.AppendUint32(nil, 300),
		settingReadOnly:        []byte("SIM0001"),
	}
}

// bootSettings gives the application its values: the factory's, and on top of them what was saved.
func (f *flash) bootSettings() {
	f.note.Settings = factorySettings()
	maps.Copy(f.note.Settings, f.note.Saved)
}

// settingName reads the key that every request about one setting has, and others.
func (c *call) settingName(more ...argument) (string, *failure) {
	var name string
	if f := c.arguments(append(more, argText("name", &name))...); f != nil || name == "" {
		return "", protocolFailure(rcInvalid)
	}
	if len(name) > maxSettingName {
		return "", settingsFailure(settingsKeyTooLong)
	}
	return name, nil
}

func settingsFailure(rc int) *failure { return groupFailure(smp.GroupSettings, rc) }

func settingsRead(c *call) *failure {
	limit := uint32(maxSettingValue)
	name, f := c.settingName(argUint("max_size", &limit))
	if f != nil {
		return f
	}
	value, ok := c.d.flash.note.Settings[name]
	switch {
	case !strings.HasPrefix(name, settingsRoot):
		return settingsFailure(settingsNoRoot)
	case name == settingWriteOnly:
		return settingsFailure(settingsNoRead)
	case !ok:
		return settingsFailure(settingsNoKey)
	}
	c.w.text("val")
	c.w.bytes(value[:min(len(value), int(min(limit, maxSettingValue)))])
	if limit > maxSettingValue {
		c.w.text("max_size")
		c.w.uint(maxSettingValue)
	}
	return nil
}

func settingsWrite(c *call) *failure {
	var value []byte
	name, f := c.settingName(argBytes("val", &value))
	if f != nil {
		return f
	}
	if !c.has("val") {
		return protocolFailure(rcInvalid)
	}
	now := c.d.flash.note.Settings
	_, known := now[name]
	switch {
	case !strings.HasPrefix(name, settingsRoot):
		return settingsFailure(settingsNoRoot)
	case name == settingReadOnly:
		return settingsFailure(settingsNoWrite)
	case len(value) > maxSettingValue || !known && len(now) == maxSettings:
		return settingsFailure(unspecified) // the application refuses
	}
	now[name] = value
	c.d.keep(c.d.flash.saveNote())
	return nil
}

func settingsDelete(c *call) *failure {
	name, f := c.settingName()
	if f != nil {
		return f
	}
	n := &c.d.flash.note
	if _, ok := n.Settings[name]; !ok {
		return settingsFailure(settingsNoKey)
	}
	delete(n.Saved, name)
	delete(n.Settings, name)
	c.d.keep(c.d.flash.saveNote())
	return nil
}

// settingsCommit has nothing to do: this application uses a value from the moment it is set.
func settingsCommit(*call) *failure { return nil }

func settingsLoad(c *call) *failure {
	n := &c.d.flash.note
	maps.Copy(n.Settings, n.Saved)
	c.d.keep(c.d.flash.saveNote())
	return nil
}

func settingsSave(c *call) *failure {
	if c.d.o.NoStorage {
		return settingsFailure(settingsNoSave)
	}
	n := &c.d.flash.note
	n.Saved = maps.Clone(n.Settings)
	c.d.keep(c.d.flash.saveNote())
	return nil
}

// zephyrCommand is the table of Zephyr's own group (Zephyr basic_mgmt.c).
func zephyrCommand(id uint8) command {
	if id == 0 {
		return command{write: eraseStorage}
	}
	return command{}
}

// eraseStorage forgets what was saved. The running application keeps its values.
func eraseStorage(c *call) *failure {
	if !c.spend(c.d.o.EraseTime) {
		return nil
	}
	c.d.flash.note.Saved = nil
	c.d.keep(c.d.flash.saveNote())
	return nil
}
