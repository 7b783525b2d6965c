{{- define "kubetally.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "kubetally.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "kubetally.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "kubetally.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "kubetally.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- define "kubetally.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "kubetally.fullname" .) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "kubetally.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kubetally.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The chart's own labels of every object. */}}
{{- define "kubetally.ownLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "kubetally.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Labels of an object. */}}
{{- define "kubetally.labels" -}}
{{- merge (include "kubetally.ownLabels" . | fromYaml) (.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{/* Labels of an object that may have more, in a list of the context and these: the chart's own go first, since objects are found by them, and the common ones last. */}}
{{- define "kubetally.labelsWith" -}}
{{- $context := index . 0 }}
{{- merge (include "kubetally.ownLabels" $context | fromYaml) (index . 1 | default dict) ($context.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{/* The settings of the chosen preset, as YAML. */}}
{{- define "kubetally.preset" -}}
{{- if .Values.preset }}
{{- .Files.Get (printf "presets/%s.yaml" .Values.preset) | required (printf "there is no preset %q" .Values.preset) }}
{{- else }}
{{- "args: []" }}
{{- end }}
{{- end }}

{{- define "kubetally.containerPort" -}}
{{- $preset := include "kubetally.preset" . | fromYaml }}
{{- $usual := ternary 4443 10250 .Values.hostNetwork.enabled }}
{{- if .Values.containerPort }}
{{- .Values.containerPort | int }}
{{- else if .Values.hostNetwork.enabled }}
{{- $usual }}
{{- else }}
{{- $preset.containerPort | default $usual | int }}
{{- end }}
{{- end }}

{{/* Name of the Secret with the serving certificate; empty when there is none. */}}
{{- define "kubetally.tlsSecret" -}}
{{- if eq .Values.tls.type "helm" }}
{{- fail "tls.type helm is not supported: self-managed also makes a CA that the API server verifies, and renews it" }}
{{- else if eq .Values.tls.type "existingSecret" }}
{{- required "tls.existingSecret.name is needed with tls.type existingSecret" .Values.tls.existingSecret.name }}
{{- else if eq .Values.tls.type "cert-manager" }}
{{- include "kubetally.fullname" . }}
{{- end }}
{{- end }}

{{/* CA of the serving certificate in base64, as far as it is known while rendering. */}}
{{- define "kubetally.caBundle" -}}
{{- if .Values.apiService.caBundle }}
{{- .Values.apiService.caBundle | b64enc }}
{{- else if and (eq .Values.tls.type "existingSecret") .Values.tls.existingSecret.lookup }}
{{- $secret := lookup "v1" "Secret" (include "kubetally.namespace" .) (include "kubetally.tlsSecret" .) }}
{{- dig "data" "ca.crt" (dig "data" "tls.crt" "" $secret) $secret }}
{{- end }}
{{- end }}

{{/* Whether cert-manager writes the CA into the APIServices; empty when it does not. */}}
{{- define "kubetally.injectsCa" -}}
{{- if and (eq .Values.tls.type "cert-manager") .Values.tls.certManager.addInjectorAnnotations }}true{{ end }}
{{- end }}

{{/* Whether the API server is told to do without verifying; empty when it is not. */}}
{{- define "kubetally.unverified" -}}
{{- $known := or (eq .Values.tls.type "self-managed") (include "kubetally.injectsCa" .) (include "kubetally.caBundle" .) }}
{{- if and .Values.apiService.insecureSkipTLSVerify (not $known) }}true{{ end }}
{{- end }}

{{/* The image and its tag. */}}
{{- define "kubetally.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default (printf "v%s" .Chart.AppVersion)) }}
{{- end }}

{{/* The arguments, as a YAML list. */}}
{{- define "kubetally.args" -}}
- --secure-port={{ include "kubetally.containerPort" . }}
- --service-name={{ include "kubetally.fullname" . }}
- --service-namespace={{ include "kubetally.namespace" . }}
{{- if eq .Values.tls.type "self-managed" }}
- --serving-cert-secret={{ include "kubetally.fullname" . }}-serving-ca
{{- if .Values.apiService.create }}
- --patch-ca-bundle
{{- end }}
{{- else if include "kubetally.tlsSecret" . }}
- --tls-cert-file=/tls/tls.crt
- --tls-private-key-file=/tls/tls.key
{{- end }}
{{- if .Values.metrics.enabled }}
- --authorization-always-allow-paths=/healthz,/readyz,/livez,/metrics
{{- end }}
{{- $preset := include "kubetally.preset" . | fromYaml }}
{{- range concat .Values.defaultArgs $preset.args .Values.args }}
- {{ . | quote }}
{{- end }}
{{- end }}
