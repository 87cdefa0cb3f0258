package station

import (
	"testing"

	"github.com/smpctl/smpctl/cmd/smpctl/internal/journal"
)

func TestALabelIsForTheBoardThatIsPluggedInNext(t *testing.T) {
	b := newBench(t, withLabels, nil)
	b.want("A1 label, A2 label")
	b.scan("SN0001234\r\n")
	b.want("A1 ready, A2 ready")
	b.wantSaid("SN0001234: plug this board in")
	b.plug("A2", boardPort("E66C0002"))
	b.wait(second)
	b.want("A1 label, A2 working", "A2 E66C0002 SN0001234")
}

func TestABoardThatWasPluggedInFirstWaitsForItsLabel(t *testing.T) {
	b := newBench(t, withLabels, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.wait(10 * second)
	b.want("A1 label, A2 label")
	b.scan("SN0001234")
	b.want("A1 working, A2 label", "A1 E66C0001 SN0001234")
}

func TestALabelThatIsScannedTwiceIsForOneBoard(t *testing.T) {
	b := newBench(t, withLabels, nil)
	b.scan("SN0001234")
	b.scan("SN0001234")
	b.wantSaid("SN0001234 was scanned already")
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.scan("SN0001234")
	b.wantSaid("SN0001234 is being worked on in A1")
	b.plug("A2", boardPort("E66C0002"))
	b.wait(10 * second)
	b.want("A1 working, A2 label", "A1 E66C0001 SN0001234")
}

func TestAWrongLabelIsNotTaken(t *testing.T) {
	b := newBench(t, withLabels, nil)
	for _, text := range []string{"4006381333931", "SN000123", "xSN0001234", "SN0001234x", "SN00\x1b01234", ""} {
		b.scan(text)
	}
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.want("A1 label, A2 label")
	b.scan("4006381333931")
	b.wantSaid(`"4006381333931" is not a label of this station`)
}

func TestTheLabelOfABoardThatPassedIsNotTakenAgain(t *testing.T) {
	b := newBench(t, withLabels, nil)
	b.scan("SN0001234")
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.end("A1", journal.Pass)
	b.scan("SN0001234")
	b.wantSaid("SN0001234 passed before")
	b.plug("A2", boardPort("E66C0002"))
	b.wait(10 * second)
	b.want("A1 pass, A2 label", "A1 E66C0001 SN0001234")
}

func TestTheLabelOfABoardThatFailedIsTakenAgain(t *testing.T) {
	b := newBench(t, withLabels, nil)
	b.scan("SN0001234")
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.end("A1", journal.Fail)
	b.pull("A1")
	b.wait(3 * second)
	b.scan("SN0001234")
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.want("A1 working, A2 label", "A1 E66C0001 SN0001234", "A1 E66C0001 SN0001234")
}

func TestALabelIsNotGuessedForOneOfSeveralBoards(t *testing.T) {
	b := newBench(t, withLabels, nil)
	b.plug("A1", boardPort("E66C0001"))
	b.plug("A2", boardPort("E66C0002"))
	b.wait(second)
	b.scan("SN0001234")
	b.wantSaid("2 boards wait for a label")
	b.want("A1 label, A2 label")
	b.pull("A2")
	b.wait(10 * second)
	b.want("A1 label, A2 label")
	b.scan("SN0001234")
	b.want("A1 working, A2 label", "A1 E66C0001 SN0001234")
}

func TestTwoBoardsAfterOneLabel(t *testing.T) {
	b := newBench(t, withLabels, nil)
	b.scan("SN0001234")
	b.plug("A1", boardPort("E66C0001"))
	b.plug("A2", boardPort("E66C0002"))
	b.wait(10 * second)
	b.want("A1 label, A2 label")
	b.pull("A1")
	b.wait(second)
	b.want("A1 label, A2 working", "A2 E66C0002 SN0001234")
}

func TestAnotherLabelInsteadOfTheFirst(t *testing.T) {
	b := newBench(t, withLabels, nil)
	b.scan("SN0001234")
	b.scan("SN0001235")
	b.wantSaid("SN0001234 was not used; it is SN0001235 now")
	b.plug("A1", boardPort("E66C0001"))
	b.wait(second)
	b.want("A1 working, A2 label", "A1 E66C0001 SN0001235")
}

func TestALabelIsForgottenWhenNoBoardComes(t *testing.T) {
	b := newBench(t, withLabels, nil)
	b.scan("SN0001234")
	b.wait(labelTime + second)
	b.wantSaid("SN0001234 was not used")
	b.plug("A1", boardPort("E66C0001"))
	b.wait(10 * second)
	b.want("A1 label, A2 label")
}

func TestAStationWithoutLabelsSaysSo(t *testing.T) {
	b := newBench(t, nil, nil)
	b.scan("SN0001234")
	b.wantSaid("this station takes no labels")
	b.wait(sayTime + second)
	if said := b.says(); said != "" {
		t.Errorf("still said: %q", said)
	}
}

func TestTheOperatorSignsInWithACode(t *testing.T) {
	b := newBench(t, nil, nil)
	b.scan("operator:anna")
	b.ports["1-1.1"] = boardPort("E66C0001")
	p := boardPort("E66C0001")
	p.Location = "1-1.1"
	b.ports["1-1.1"] = p
	b.look()
	b.now = b.now.Add(second)
	orders := b.rig.tick(b.now)
	if len(orders) != 1 || orders[0].operator != "anna" {
		t.Errorf("orders %+v, want one of anna", orders)
	}
}
