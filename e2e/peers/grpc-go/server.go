package main

import (
	"context"
	"flag"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	xdscredentials "google.golang.org/grpc/credentials/xds"
	"google.golang.org/grpc/xds"
)

// listening is the line that says that the server has its port.
type listening struct {
	Listening string `json:"listening"`
}

// serving is the line that says that an xDS server may serve, or why not.
type serving struct {
	Serving bool   `json:"serving"`
	Reason  string `json:"reason"`
}

func runServer(args []string) {
	flags := flag.NewFlagSet("server", flag.ExitOnError)
	name := flags.String("name", "", "what it calls itself in its answers")
	address := flags.String("listen", "127.0.0.1:0", "IP:port")
	useXds := flags.Bool("xds", false, "take the listener's configuration from xDS")
	flags.Parse(args)

	listener, err := net.Listen("tcp", *address)
	if err != nil {
		fail("cannot listen: %v", err)
	}
	server := newServer(*useXds)
	server.RegisterService(echoService(*name), nil)
	printLine(listening{listener.Addr().String()})
	if err := server.Serve(listener); err != nil {
		fail("stopped serving: %v", err)
	}
}

// anyServer is what grpc.Server and xds.GRPCServer have in common.
type anyServer interface {
	grpc.ServiceRegistrar
	Serve(net.Listener) error
}

func newServer(useXds bool) anyServer {
	if !useXds {
		return grpc.NewServer(grpc.ForceServerCodec(codec{}))
	}
	creds, err := xdscredentials.NewServerCredentials(
		xdscredentials.ServerOptions{FallbackCreds: insecure.NewCredentials()})
	if err != nil {
		fail("no xDS credentials: %v", err)
	}
	server, err := xds.NewGRPCServer(grpc.Creds(creds), grpc.ForceServerCodec(codec{}),
		xds.ServingModeCallback(func(_ net.Addr, change xds.ServingModeChangeArgs) {
			line := serving{Serving: change.Err == nil}
			if change.Err != nil {
				line.Reason = change.Err.Error()
			}
			printLine(line)
		}))
	if err != nil {
		fail("no xDS server: %v", err)
	}
	return server
}

func echoService(name string) *grpc.ServiceDesc {
	say := func(_ any, ctx context.Context, decode func(any) error, intercept grpc.UnaryServerInterceptor) (any, error) {
		request := message{}
		if err := decode(request); err != nil {
			return nil, err
		}
		answer := func(_ context.Context, _ any) (any, error) {
			return message{replyServer: name, replyText: request[requestText]}, nil
		}
		if intercept == nil {
			return answer(ctx, request)
		}
		// An xDS server checks routes and policies here.
		return intercept(ctx, request, &grpc.UnaryServerInfo{FullMethod: sayMethod}, answer)
	}
	return &grpc.ServiceDesc{
		ServiceName: "keelson.echo.v1.Echo",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Say", Handler: say}},
	}
}
