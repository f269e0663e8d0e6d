// caller BASE does the tasks on its standard input (callers/tasks.ts) with net/http.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

func pattern(size int) []byte {
	body := make([]byte, size)
	for place := range body {
		body[place] = byte(97 + place%26)
	}
	return body
}

func request(words []string) (*http.Request, error) {
	var body io.Reader
	if size, _ := strconv.Atoi(words[2]); size >= 0 {
		body = bytes.NewReader(pattern(size))
		if words[3] == "1" {
			// What net/http does not know the length of is sent in chunks.
			body = struct{ io.Reader }{body}
		}
	}
	made, err := http.NewRequest(words[0], os.Args[1]+words[1], body)
	if err != nil {
		return nil, err
	}
	if words[4] == "1" {
		made.Header.Set("Expect", "100-continue")
	}
	if words[5] != "" {
		made.Header.Set("x-test", words[5])
	}
	return made, nil
}

func once(words []string) string {
	made, err := request(words)
	if err != nil {
		return "error\t" + err.Error()
	}
	answer, err := http.DefaultClient.Do(made)
	if err != nil {
		return "error\t" + err.Error()
	}
	hash := sha256.New()
	_, err = io.Copy(hash, answer.Body)
	if closed := answer.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return "error\t" + err.Error()
	}
	return fmt.Sprintf("%d\t%x\t%s", answer.StatusCode, hash.Sum(nil), answer.Header.Get("Content-Length"))
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Split(lines.Text(), "\t")
		times, _ := strconv.Atoi(words[6])
		answers := make([]string, times)
		var group sync.WaitGroup
		for i := range answers {
			group.Add(1)
			one := func() {
				defer group.Done()
				answers[i] = once(words)
			}
			if words[7] == "1" {
				go one()
			} else {
				one()
			}
		}
		group.Wait()
		fmt.Println(strings.Join(answers, "\n"))
	}
}
