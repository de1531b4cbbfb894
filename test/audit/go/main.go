// Checks a ledger with Go's own packages for transparency logs, which know nothing of it.
//
//	audit tiles <url> <partition> <vkey> <random proofs>
//	audit report <file> <vkey>
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	var told any
	var err error
	switch os.Args[1] {
	case "tiles":
		random, convErr := strconv.Atoi(os.Args[5])
		check(convErr)
		told, err = checkTiles(os.Args[2], os.Args[3], os.Args[4], random)
	case "report":
		told, err = checkReport(os.Args[2], os.Args[3])
	default:
		err = fmt.Errorf("tiles or report, not %s", os.Args[1])
	}
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(told))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func openCheckpoint(signed []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		return tlog.Tree{}, err
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

type tiles struct {
	prefix string
	read   map[string]bool
}

func (t *tiles) Height() int { return 8 }

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		// Go's addresses name the height; those of tlog-tiles do not, since it is always 8.
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := get(t.prefix + path)
		if err != nil {
			return nil, err
		}
		t.read[path] = true
		all = append(all, data)
	}
	return all, nil
}

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func checkTiles(url, partition, vkey string, random int) (any, error) {
	prefix := url + "/v1/audit/" + partition + "/"
	signed, err := get(prefix + "checkpoint")
	if err != nil {
		return nil, err
	}
	tree, err := openCheckpoint(signed, vkey)
	if err != nil {
		return nil, err
	}
	reader := &tiles{prefix: prefix, read: map[string]bool{}}
	hashes := tlog.TileHashReader(tree, reader)
	for first := int64(0); first < tree.N; first += 4096 {
		var indexes []int64
		for at := first; at < first+4096 && at < tree.N; at++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, at))
		}
		// Fails unless every tile on the way leads to the signed root.
		if _, err := hashes.ReadHashes(indexes); err != nil {
			return nil, err
		}
	}
	took := make([]float64, 0, random)
	for done := 0; done < random && tree.N > 0; done++ {
		sequence := 1 + rand.Int63n(tree.N)
		event, err := readEvent(url, partition, sequence)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		proof, err := get(fmt.Sprintf("%s/v1/audit/proof?position=%s:%d", url, partition, sequence))
		if err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
		if err := checkProof(string(proof), event, sequence-1, vkey); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", partition, sequence, err)
		}
	}
	sort.Float64s(took)
	told := map[string]any{"events": tree.N, "tiles": len(reader.read), "proofs": len(took)}
	if len(took) > 0 {
		told["p50"] = took[len(took)/2]
		told["p99"] = took[len(took)*99/100]
	}
	return told, nil
}

func readEvent(url, partition string, sequence int64) ([]byte, error) {
	page, err := get(fmt.Sprintf("%s/v1/feed?partition=%s&after=%d&limit=1", url, partition, sequence-1))
	if err != nil {
		return nil, err
	}
	var read struct{ Events []json.RawMessage }
	if err := json.Unmarshal(page, &read); err != nil {
		return nil, err
	}
	return read.Events[0], nil
}

func checkProof(text string, event []byte, index int64, vkey string) error {
	head, signed, found := strings.Cut(text, "\n\n")
	if !found {
		return fmt.Errorf("no checkpoint in the proof")
	}
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != fmt.Sprintf("index %d", index) {
		return fmt.Errorf("not a proof of %d: %v", index, lines[:2])
	}
	tree, err := openCheckpoint([]byte(signed), vkey)
	if err != nil {
		return err
	}
	return checkRecord(lines[2:], tree, index, event)
}

func checkRecord(lines []string, tree tlog.Tree, index int64, event []byte) error {
	var proof tlog.RecordProof
	for _, line := range lines {
		bytes, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return err
		}
		var hash tlog.Hash
		copy(hash[:], bytes)
		proof = append(proof, hash)
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(event))
}

func checkReport(file, vkey string) (any, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var report struct {
		Checkpoint string
		Events     []struct {
			Position string
			Event    string
			Proof    []string
		}
	}
	if err := json.Unmarshal(text, &report); err != nil {
		return nil, err
	}
	tree, err := openCheckpoint([]byte(report.Checkpoint), vkey)
	if err != nil {
		return nil, err
	}
	for _, one := range report.Events {
		_, digits, _ := strings.Cut(one.Position, ":")
		sequence, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return nil, err
		}
		if err := checkRecord(one.Proof, tree, sequence-1, []byte(one.Event)); err != nil {
			return nil, fmt.Errorf("%s: %w", one.Position, err)
		}
	}
	return map[string]any{"events": len(report.Events)}, nil
}

func get(url string) ([]byte, error) {
	answer, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d: %s", url, answer.StatusCode, body)
	}
	return body, err
}
