// server PORT answers what e2e/clients/steps.ts asks, with net/http.
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

var largest = make([]byte, 1<<25)

func whole(w http.ResponseWriter, content []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	// A caller that is gone is the caller's matter.
	_, _ = w.Write(content)
}

func inPieces(w http.ResponseWriter, size, piece int, pause time.Duration) {
	for at := 0; at < size; at += piece {
		_, _ = w.Write(largest[at:min(size, at+piece)])
		w.(http.Flusher).Flush()
		time.Sleep(pause)
	}
}

func redirect(w http.ResponseWriter, status int, location string) {
	w.Header().Set("Location", location)
	w.WriteHeader(status)
}

func answer(w http.ResponseWriter, r *http.Request) {
	what, value, _ := strings.Cut(r.RequestURI[1:], "/")
	number, _ := strconv.Atoi(value)
	switch what {
	case "bytes":
		whole(w, largest[:number])
	case "digest":
		hash := sha256.New()
		length, err := io.Copy(hash, r.Body)
		if err != nil {
			log.Print(err)
			return
		}
		whole(w, fmt.Appendf(nil, "%d %x\n", length, hash.Sum(nil)))
	case "chunked":
		inPieces(w, number, 1000, 0)
	case "drip":
		inPieces(w, number, 1, 30*time.Millisecond)
	case "status":
		w.WriteHeader(number)
		if number == http.StatusInternalServerError {
			_, _ = io.WriteString(w, "status 500\n")
		}
	case "redirect-post":
		redirect(w, http.StatusTemporaryRedirect, "/digest")
	case "redirect":
		location := fmt.Sprintf("/redirect/%d", number-1)
		if number == 1 {
			location = "/bytes/128"
		}
		redirect(w, http.StatusFound, location)
	case "target":
		whole(w, []byte(r.RequestURI))
	case "header":
		whole(w, []byte(r.Header.Get("x-test")))
	case "slow":
		time.Sleep(time.Duration(number) * time.Millisecond)
		whole(w, []byte("slow\n"))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func main() {
	for place := range largest {
		largest[place] = byte(97 + place%26)
	}
	log.Fatal(http.ListenAndServe(":"+os.Args[1], http.HandlerFunc(answer)))
}
