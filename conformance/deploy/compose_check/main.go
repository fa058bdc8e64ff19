// Reads compose files with the parser that Docker's own command uses and prints the resolved project
// of each as one line of JSON. No engine is needed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	lines := json.NewEncoder(os.Stdout)
	for _, file := range os.Args[1:] {
		options, err := cli.NewProjectOptions([]string{file}, cli.WithOsEnv, cli.WithDotEnv)
		if err == nil {
			project, loading := options.LoadProject(context.Background())
			if err = loading; err == nil {
				err = lines.Encode(project)
			}
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			os.Exit(1)
		}
	}
}
