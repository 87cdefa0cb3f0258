package smp

import "context"

// SettingsGroup holds the commands of the settings group (Zephyr smp_group_3.rst). Use it as a field of a [Client]. A
// value is bytes; their number and order mean what the application says.
type SettingsGroup struct{ c *Client }

type settingName struct {
	Name string `cbor:"name"`
}

type settingValue struct {
	Name  string `cbor:"name"`
	Value []byte `cbor:"val"`
}

type settingReply struct {
	Value textOrBytes `cbor:"val"`
}

// Get reads the present value of a setting, saved or not. A device cuts a value that is longer than it can send
// (CONFIG_MCUMGR_GRP_SETTINGS_VALUE_LEN, 130 bytes by default), and does not say so.
func (g SettingsGroup) Get(ctx context.Context, name string) ([]byte, error) {
	r, err := settingsRead.do(ctx, g.c, settingName{name})
	return r.Value, err
}

// Set writes the value of a setting. It is lost at the next reset unless [SettingsGroup.Save] is called, and some
// firmware makes use of it only after [SettingsGroup.Commit].
func (g SettingsGroup) Set(ctx context.Context, name string, value []byte) error {
	if value == nil {
		value = []byte{} // nil would be encoded as null
	}
	_, err := settingsWrite.do(ctx, g.c, settingValue{name, value})
	return err
}

// Delete removes a setting.
func (g SettingsGroup) Delete(ctx context.Context, name string) error {
	_, err := settingsDelete.do(ctx, g.c, settingName{name})
	return err
}

// Commit has the firmware put all changed settings to use.
func (g SettingsGroup) Commit(ctx context.Context) error {
	_, err := settingsCommit.do(ctx, g.c, none{})
	return err
}

// Load replaces the present values by those that were saved.
func (g SettingsGroup) Load(ctx context.Context) error {
	_, err := settingsLoad.do(ctx, g.c, none{})
	return err
}

// Save writes the present values to where they outlive a reset.
func (g SettingsGroup) Save(ctx context.Context) error {
	_, err := settingsSave.do(ctx, g.c, none{})
	return err
}
