// Renders a Helm chart with what Helm itself is built on: Go's text/template and the sprig functions. For tests where `helm` cannot be had.
// It knows of Helm what our chart uses: include, required, toYaml, fromYaml, .Files.Get, .Values, .Chart, .Release; lookup finds nothing, as
// without a cluster. No dependencies or hooks. The manifests come first, then the notes, as `helm install --dry-run` prints them.
//
//	apt-get install golang-go golang-github-masterminds-sprig-dev golang-k8s-sigs-yaml-dev
//	CGO_ENABLED=0 GO111MODULE=off GOPATH=/usr/share/gocode go run ./hack/render-chart RELEASE NAMESPACE CHART [VALUES.yaml ...]
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type files string

// Get is `.Files.Get`: the text of a file of the chart, empty when there is none.
func (chart files) Get(name string) string {
	text, _ := os.ReadFile(filepath.Join(string(chart), name))
	return string(text)
}

func readYaml(path string) map[string]interface{} {
	text, err := os.ReadFile(path)
	check(err)
	value := map[string]interface{}{}
	check(yaml.Unmarshal(text, &value))
	return value
}

// merge lays `over` on `base`: maps are joined, a null removes what is there and stays where nothing is, everything else replaces.
func merge(base, over map[string]interface{}) {
	for key, value := range over {
		inner, isMap := value.(map[string]interface{})
		was, exists := base[key]
		known, wasMap := was.(map[string]interface{})
		switch {
		case value == nil && exists:
			delete(base, key)
		case isMap && wasMap:
			merge(known, inner)
		default:
			base[key] = value
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) < 4 {
		check(errors.New("usage: render-chart RELEASE NAMESPACE CHART [VALUES.yaml ...]"))
	}
	release, namespace, chart := os.Args[1], os.Args[2], os.Args[3]
	values := readYaml(filepath.Join(chart, "values.yaml"))
	for _, path := range os.Args[4:] {
		merge(values, readYaml(path))
	}
	about := map[string]interface{}{}
	for key, value := range readYaml(filepath.Join(chart, "Chart.yaml")) {
		about[strings.ToUpper(key[:1])+key[1:]] = value
	}
	data := map[string]interface{}{
		"Values":  values,
		"Chart":   about,
		"Release": map[string]interface{}{"Name": release, "Namespace": namespace, "Service": "Helm"},
		"Files":   files(chart),
	}

	all := template.New("chart").Option("missingkey=zero")
	functions := sprig.TxtFuncMap()
	functions["include"] = func(name string, data interface{}) (string, error) {
		var text bytes.Buffer
		err := all.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	functions["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return nil, errors.New(message)
		}
		return value, nil
	}
	functions["toYaml"] = func(value interface{}) (string, error) {
		text, err := yaml.Marshal(value)
		return strings.TrimSuffix(string(text), "\n"), err
	}
	functions["fromYaml"] = func(text string) (map[string]interface{}, error) {
		value := map[string]interface{}{}
		err := yaml.Unmarshal([]byte(text), &value)
		return value, err
	}
	functions["lookup"] = func(string, string, string, string) map[string]interface{} {
		return map[string]interface{}{}
	}
	all.Funcs(functions)

	paths, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	check(err)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		check(err)
		template.Must(all.New(filepath.Base(path)).Parse(string(text)))
	}
	// Helm prints <no value> as nothing.
	render := func(path string) string {
		var text bytes.Buffer
		check(all.ExecuteTemplate(&text, filepath.Base(path), data))
		return strings.ReplaceAll(text.String(), "<no value>", "")
	}
	for _, path := range paths {
		if strings.HasSuffix(path, ".yaml") {
			fmt.Printf("---\n# %s\n%s\n", filepath.Base(path), render(path))
		}
	}
	fmt.Printf("NOTES:\n%s", render("NOTES.txt"))
}
