package main

import (
	"context"
	"fmt"

	"github.com/kedacore/keda/v2/pkg/scalers"
)

type spec struct {
	Name        string `json:"name"`
	TargetMilli int64  `json:"targetMilli"`
	Type        string `json:"type"`
}

type metric struct {
	Name       string `json:"name"`
	ValueMilli int64  `json:"valueMilli"`
}

// call does what a poll does: the specs, and for each of them its value and the activity.
func call(ctx context.Context, asked options) error {
	scaler, err := scalers.NewExternalScaler(asked.config(asked.name))
	if err != nil {
		return fmt.Errorf("new scaler: %w", err)
	}
	defer func() { _ = scaler.Close(ctx) }()
	found := struct {
		Specs   []spec   `json:"specs"`
		Metrics []metric `json:"metrics"`
		Active  bool     `json:"active"`
	}{}
	for _, announced := range scaler.GetMetricSpecForScaling(ctx) {
		name, target := announced.External.Metric.Name, announced.External.Target
		found.Specs = append(found.Specs, spec{name, target.AverageValue.MilliValue(), string(target.Type)})
		values, active, err := scaler.GetMetricsAndActivity(ctx, name)
		if err != nil {
			return fmt.Errorf("metrics and activity of %s: %w", name, err)
		}
		for _, value := range values {
			found.Metrics = append(found.Metrics, metric{value.MetricName, value.Value.MilliValue()})
		}
		found.Active = found.Active || active
	}
	if len(found.Specs) == 0 {
		return fmt.Errorf("no metric specs, or the call for them failed (KEDA logs why)")
	}
	report(found)
	return nil
}
