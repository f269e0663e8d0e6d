// Command grpc-go is an echo client and an echo server on grpc-go; e2e/peers/echo.ts starts it and says what the
// arguments and the lines on its standard input and output mean.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

func main() {
	if len(os.Args) < 2 {
		fail("usage: grpc-go client|server …")
	}
	switch role := os.Args[1]; role {
	case "client":
		runClient(os.Args[2:])
	case "server":
		runServer(os.Args[2:])
	default:
		fail("usage: grpc-go client|server …; found %q", role)
	}
}

var outputLock sync.Mutex

// printLine writes a value as one line of JSON; callbacks of gRPC may do so at the same time.
func printLine(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		fail("cannot write %v as JSON: %v", value, err)
	}
	outputLock.Lock()
	defer outputLock.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
