// Command keda-client drives an external scaler with KEDA's own client, and prints what KEDA makes
// of its answers as one JSON object a line.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
)

const usage = `keda-client drives an external scaler with KEDA's own client.

  keda-client call --address HOST:PORT --name NAME [--metadata KEY=VALUE]...
      the metric specs, each metric's value, and whether the target is active, as a poll of KEDA
  keda-client push --address HOST:PORT --name NAME [--metadata KEY=VALUE]... [--scaled-objects N]
      each message of activity as it comes, until SIGTERM or --until-active

`

// pairs collects KEY=VALUE flags.
type pairs map[string]string

func (p pairs) String() string { return fmt.Sprint(map[string]string(p)) }

func (p pairs) Set(text string) error {
	key, value, found := strings.Cut(text, "=")
	if !found {
		return fmt.Errorf("%q is not KEY=VALUE", text)
	}
	p[key] = value
	return nil
}

// options are what the command line says.
type options struct {
	address, namespace, name string
	metadata, env            pairs
	ca, certificate, key     string
	scaledObjects            int
	auth                     map[string]string
	untilActive              bool
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	commands := map[string]func(context.Context, options) error{"call": call, "push": push}
	command, known := commands[os.Args[1]]
	if !known {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	asked := options{metadata: pairs{}, env: pairs{}}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&asked.address, "address", "127.0.0.1:9090", "the external scaler's `address`")
	flags.StringVar(&asked.namespace, "namespace", "default", "the ScaledObject's namespace")
	flags.StringVar(&asked.name, "name", "hello", "the ScaledObject's name")
	flags.Var(asked.metadata, "metadata", "a `KEY=VALUE` of the trigger's metadata; may be repeated")
	flags.Var(asked.env, "env", "a `KEY=VALUE` of the target's environment, for keys that end in FromEnv")
	flags.StringVar(&asked.ca, "ca", "", "speak TLS, and trust this `FILE`'s roots")
	flags.StringVar(&asked.certificate, "cert", "", "show the certificate in this `FILE`")
	flags.StringVar(&asked.key, "key", "", "the key of that certificate, in a `FILE`")
	flags.IntVar(&asked.scaledObjects, "scaled-objects", 1, "push: how many ScaledObjects listen")
	flags.BoolVar(&asked.untilActive, "until-active", false, "push: end once each has been told true")
	// ExitOnError: it never returns an error.
	_ = flags.Parse(os.Args[2:])

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := asked.readCertificates()
	if err == nil {
		err = command(ctx, asked)
	}
	if err != nil {
		report(map[string]any{"error": err.Error()})
		os.Exit(1)
	}
}

// config is the trigger as KEDA's operator hands it to a scaler.
func (o options) config(name string) *scalersconfig.ScalerConfig {
	metadata := map[string]string{"scalerAddress": o.address}
	for key, value := range o.metadata {
		metadata[key] = value
	}
	return &scalersconfig.ScalerConfig{
		ScalableObjectName:      name,
		ScalableObjectNamespace: o.namespace,
		TriggerMetadata:         metadata,
		ResolvedEnv:             o.env,
		AuthParams:              o.auth,
	}
}

// readCertificates fills what a TriggerAuthentication would give: the files' contents, not their names.
func (o *options) readCertificates() error {
	o.auth = map[string]string{}
	for parameter, file := range map[string]string{"caCert": o.ca, "tlsClientCert": o.certificate, "tlsClientKey": o.key} {
		if file == "" {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		o.auth[parameter] = string(content)
		o.metadata["enableTLS"] = "true"
	}
	return nil
}

// report prints one line of JSON; whoever reads it may have gone.
func report(line any) {
	_ = json.NewEncoder(os.Stdout).Encode(line)
}
