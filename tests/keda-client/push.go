package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kedacore/keda/v2/pkg/scalers"
)

type activity struct {
	ScaledObject string `json:"scaledObject"`
	Active       bool   `json:"active"`
	AfterMillis  int64  `json:"afterMillis"`
}

// push opens a stream for each ScaledObject, which all share one connection, and reports each
// message.
func push(ctx context.Context, asked options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages := make(chan activity)
	started := time.Now()
	for index := range asked.scaledObjects {
		name := fmt.Sprintf("%s-%d", asked.name, index)
		scaler, err := scalers.NewExternalPushScaler(asked.config(name))
		if err != nil {
			return fmt.Errorf("new push scaler: %w", err)
		}
		// Unbuffered, as KEDA's is.
		active := make(chan bool)
		go scaler.Run(ctx, active)
		go func() {
			for is := range active {
				select {
				case messages <- activity{name, is, time.Since(started).Milliseconds()}:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	told := map[string]bool{}
	for !asked.untilActive || len(told) < asked.scaledObjects {
		select {
		case message := <-messages:
			report(message)
			if message.Active {
				told[message.ScaledObject] = true
			}
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}
