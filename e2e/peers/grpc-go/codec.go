package main

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// sayMethod is the one method of e2e/peers/echo.proto.
const sayMethod = "/keelson.echo.v1.Echo/Say"

// message is SayRequest or SayReply of echo.proto: both have strings only, so a message is its strings by field number.
type message map[protowire.Number]string

const (
	requestText protowire.Number = 1
	replyServer protowire.Number = 1
	replyText   protowire.Number = 2
)

// codec stands in for generated code; its content type is protobuf's.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(value any) ([]byte, error) {
	fields, ok := value.(message)
	if !ok {
		return nil, fmt.Errorf("cannot encode a %T: only a message", value)
	}
	var data []byte
	for number, text := range fields {
		data = protowire.AppendString(protowire.AppendTag(data, number, protowire.BytesType), text)
	}
	return data, nil
}

func (codec) Unmarshal(data []byte, value any) error {
	fields, ok := value.(message)
	if !ok {
		return fmt.Errorf("cannot decode into a %T: only into a message", value)
	}
	for len(data) > 0 {
		number, kind, length := protowire.ConsumeTag(data)
		if length < 0 {
			return protowire.ParseError(length)
		}
		data = data[length:]
		if kind != protowire.BytesType {
			return fmt.Errorf("field %d has wire type %d; only strings (2) are in echo.proto", number, kind)
		}
		text, length := protowire.ConsumeString(data)
		if length < 0 {
			return protowire.ParseError(length)
		}
		fields[number] = text
		data = data[length:]
	}
	return nil
}
