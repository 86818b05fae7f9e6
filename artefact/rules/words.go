package rules

import (
	"bytes"
	"encoding/binary"
)

// wordList are words that are looked for in letters of either case.
type wordList struct {
	begins [1 << 10]uint64     // bits: two bytes begin a word
	by     map[uint16][]string // by those two
}

// wordsOf makes a list of words in small letters, two or more each.
func wordsOf(words ...string) *wordList {
	l := &wordList{by: map[uint16][]string{}}
	for _, w := range words {
		p := pair([]byte(w))
		l.begins[p/64] |= 1 << (p % 64)
		l.by[p] = append(l.by[p], w)
	}
	return l
}

// pair is two bytes, with the bit set that tells upper from lower case.
func pair(text []byte) uint16 { return binary.LittleEndian.Uint16(text) | 0x2020 }

// in says whether one of them stands in a text.
func (l *wordList) in(text []byte) bool { return l.find(text, false) }

// alone says whether one of them stands there with no letter, digit or _ before or behind it.
func (l *wordList) alone(text []byte) bool { return l.find(text, true) }

func (l *wordList) find(text []byte, alone bool) bool {
	if len(text) < 2 {
		return false
	}
	p := pair(text) << 8
	for i, c := range text[1:] {
		p = p>>8 | uint16(c|0x20)<<8
		if l.begins[p/64]>>(p%64)&1 == 0 || alone && i > 0 && inWord(text[i-1]) {
			continue
		}
		for _, w := range l.by[p] {
			end := i + len(w)
			if end <= len(text) && fold(text[i:end], w) && !(alone && end < len(text) && inWord(text[end])) {
				return true
			}
		}
	}
	return false
}

// endings are those of words, in small letters.
type endings []string

// ends says whether a word ends in one of them, in letters of either case, and has no digits.
func (e endings) ends(word []byte) bool {
	for _, end := range e {
		if at := len(word) - len(end); at >= 0 && fold(word[at:], end) {
			return !bytes.ContainsAny(word, "0123456789")
		}
	}
	return false
}

func inWord(c byte) bool { return alphanumeric(c) || c == '_' }

// fold compares a text with a word of small letters that is as long.
func fold(text []byte, word string) bool {
	for i, c := range text {
		if w := word[i]; c != w && ('A' > c || c > 'Z' || c|0x20 != w) {
			return false
		}
	}
	return true
}
