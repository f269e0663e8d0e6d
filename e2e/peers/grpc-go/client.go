package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	xdscredentials "google.golang.org/grpc/credentials/xds"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	_ "google.golang.org/grpc/xds" // the xds:/// resolver
)

// batch is one line of the client's standard input.
type batch struct {
	Count       int               `json:"count"`
	Concurrency int               `json:"concurrency"`
	DeadlineMs  int               `json:"deadlineMs"`
	Text        string            `json:"text"`
	Headers     map[string]string `json:"headers"`
}

// tally is one line of its standard output.
type tally struct {
	// Calls by the name of the server that answered.
	Answers map[string]int `json:"answers"`
	// Calls by the status code they ended with.
	Failures map[string]int `json:"failures"`
	// What the first failure said.
	FirstFailure string `json:"firstFailure"`
}

// runClient keeps one channel for all batches, so that they see it change.
func runClient(args []string) {
	flags := flag.NewFlagSet("client", flag.ExitOnError)
	target := flags.String("target", "", "what to dial, such as xds:///echo.default.svc.cluster.local:8080")
	flags.Parse(args)

	// By xDS where it says so, else in the clear.
	creds, err := xdscredentials.NewClientCredentials(
		xdscredentials.ClientOptions{FallbackCreds: insecure.NewCredentials()})
	if err != nil {
		fail("no xDS credentials: %v", err)
	}
	connection, err := grpc.NewClient(*target, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{})))
	if err != nil {
		fail("no client for %s: %v", *target, err)
	}
	defer connection.Close()

	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		var next batch
		if err := json.Unmarshal(input.Bytes(), &next); err != nil {
			fail("%q is not a batch: %v", input.Text(), err)
		}
		printLine(next.send(connection))
	}
}

func (b batch) send(connection *grpc.ClientConn) tally {
	result := tally{Answers: map[string]int{}, Failures: map[string]int{}}
	var lock sync.Mutex
	var senders sync.WaitGroup
	left := make(chan struct{}, b.Count)
	for range b.Count {
		left <- struct{}{}
	}
	close(left)
	for range max(b.Concurrency, 1) {
		senders.Go(func() {
			for range left {
				server, err := b.sendOne(connection)
				lock.Lock()
				result.count(server, err)
				lock.Unlock()
			}
		})
	}
	senders.Wait()
	return result
}

func (b batch) sendOne(connection *grpc.ClientConn) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(b.DeadlineMs)*time.Millisecond)
	defer cancel()
	ctx = metadata.NewOutgoingContext(ctx, metadata.New(b.Headers))
	reply := message{}
	err := connection.Invoke(ctx, sayMethod, message{requestText: b.Text}, reply)
	return reply[replyServer], err
}

func (t *tally) count(server string, err error) {
	if err == nil {
		t.Answers[server]++
		return
	}
	if len(t.Failures) == 0 {
		t.FirstFailure = status.Convert(err).Message()
	}
	t.Failures[codeNames[status.Code(err)]]++
}
