// Verify evidence files with Go's own packages for signed notes and transparency logs.
//
// Reads one JSON object per line on standard input and answers each with one line: "ok" or the reason for refusing.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// question is one line of input: an evidence file with whom to trust, a consistency proof, or files to hash.
type question struct {
	Evidence *evidence
	Log      string // verifier key of the log
	Maker    string // base64 of the maker's raw public key

	Old, New         int64
	OldRoot, NewRoot string
	Proof            []string

	Files   map[string]string
	DirHash string
}

type evidence struct {
	Entries []struct {
		Bundle struct {
			DsseEnvelope struct {
				Payload     string
				PayloadType string
				Signatures  []struct{ Keyid, Sig string }
			}
		}
		Leaf  string
		Proof string
	}
}

var strict = base64.StdEncoding.Strict()

func main() {
	in := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err == io.EOF {
			return
		}
		var q question
		answer := json.Unmarshal(line, &q)
		if answer == nil {
			answer = check(&q)
		}
		if answer == nil {
			fmt.Fprintln(out, "ok")
		} else {
			fmt.Fprintln(out, strconv.Quote(answer.Error()))
		}
	}
}

func check(q *question) error {
	switch {
	case q.Evidence != nil:
		return checkEvidence(q)
	case q.Files != nil:
		return checkFiles(q)
	default:
		return checkConsistency(q)
	}
}

func checkEvidence(q *question) error {
	verifier, err := note.NewVerifier(q.Log)
	if err != nil {
		return err
	}
	maker, err := strict.DecodeString(q.Maker)
	if err != nil || len(maker) != ed25519.PublicKeySize {
		return errors.New("bad maker key")
	}
	if len(q.Evidence.Entries) == 0 {
		return errors.New("no entries")
	}
	for _, entry := range q.Evidence.Entries {
		leaf, err := strict.DecodeString(entry.Leaf)
		if err != nil {
			return err
		}
		if err := checkInclusion(entry.Proof, leaf, verifier); err != nil {
			return err
		}
		envelope := entry.Bundle.DsseEnvelope
		if len(envelope.Signatures) != 1 {
			return errors.New("not one signature")
		}
		payload, err := strict.DecodeString(envelope.Payload)
		if err != nil {
			return err
		}
		signature, err := strict.DecodeString(envelope.Signatures[0].Sig)
		if err != nil {
			return err
		}
		signed := fmt.Sprintf("DSSEv1 %d %s %d %s", len(envelope.PayloadType), envelope.PayloadType, len(payload), payload)
		if !ed25519.Verify(maker, []byte(signed), signature) {
			return errors.New("bad envelope signature")
		}
		stored := fmt.Sprintf(`{"payload":"%s","payloadType":"%s","signatures":[{"keyid":"%s","sig":"%s"}]}`,
			envelope.Payload, envelope.PayloadType, envelope.Signatures[0].Keyid, envelope.Signatures[0].Sig)
		var record struct{ Env string }
		if err := json.Unmarshal(leaf, &record); err != nil {
			return err
		}
		if record.Env != fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(stored))) {
			return errors.New("the leaf is of another envelope")
		}
	}
	return nil
}

// checkInclusion reads a C2SP tlog-proof and checks it with sumdb/note and sumdb/tlog.
func checkInclusion(proof string, leaf []byte, verifier note.Verifier) error {
	head, signed, found := strings.Cut(proof, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" || len(lines) < 2 || !strings.HasPrefix(lines[1], "index ") {
		return errors.New("not a tlog-proof")
	}
	index, err := strconv.ParseInt(lines[1][len("index "):], 10, 64)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := parseHash(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		return err
	}
	text := strings.Split(opened.Text, "\n")
	if len(text) < 4 || text[0] != verifier.Name() {
		return errors.New("a checkpoint of another log")
	}
	size, err := strconv.ParseInt(text[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := parseHash(text[2])
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path, size, root, index, tlog.RecordHash(leaf))
}

func checkConsistency(q *question) error {
	oldRoot, err := parseHash(q.OldRoot)
	if err != nil {
		return err
	}
	newRoot, err := parseHash(q.NewRoot)
	if err != nil {
		return err
	}
	var path tlog.TreeProof
	for _, line := range q.Proof {
		hash, err := parseHash(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	return tlog.CheckTree(path, q.New, newRoot, q.Old, oldRoot)
}

func checkFiles(q *question) error {
	var names []string
	for name := range q.Files {
		names = append(names, name)
	}
	hash, err := dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader([]byte(q.Files[name]))), nil
	})
	if err != nil {
		return err
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(hash, "h1:"))
	if err != nil || fmt.Sprintf("%x", raw) != q.DirHash {
		return errors.New("another directory hash")
	}
	return nil
}

func parseHash(text string) (tlog.Hash, error) {
	if _, err := strict.DecodeString(text); err != nil {
		return tlog.Hash{}, err
	}
	return tlog.ParseHash(text)
}
