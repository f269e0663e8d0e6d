{{/* "istiod", or "istiod-REVISION". */}}
{{- define "keelson.name" -}}
istiod{{ with .Values.revision }}-{{ . }}{{ end }}
{{- end }}

{{/* Of objects that belong to no namespace. */}}
{{- define "keelson.clusterName" -}}
{{ include "keelson.name" . }}-keelson-{{ .Release.Namespace }}
{{- end }}

{{/* Of the configuration by which rules are checked, as istiod's chart names it. */}}
{{- define "keelson.validatorName" -}}
istio-validator{{ with .Values.revision }}-{{ . }}{{ end }}-{{ .Release.Namespace }}
{{- end }}

{{- define "keelson.revision" -}}
{{ .Values.revision | default "default" }}
{{- end }}

{{/* Of every object. */}}
{{- define "keelson.labels" -}}
app.kubernetes.io/part-of: keelson
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
istio.io/rev: {{ include "keelson.revision" . | quote }}
{{- end }}

{{/* What pods of the control plane are found by: a revision beside the default one must not get its calls. */}}
{{- define "keelson.pilotSelector" -}}
app: istiod
{{- if .Values.revision }}
istio.io/rev: {{ .Values.revision | quote }}
{{- else }}
istio: pilot
{{- end }}
{{- end }}

{{/* (dict "root" $ "part" .Values.pilot): the image of a part. */}}
{{- define "keelson.image" -}}
{{- if contains "/" .part.image -}}
{{ .part.image }}
{{- else -}}
{{- $hub := .part.hub | default .root.Values.global.hub -}}
{{- $tag := .part.tag | default .root.Values.global.tag | default .root.Chart.AppVersion -}}
{{ $hub }}/{{ .part.image }}:{{ $tag }}
{{- end -}}
{{- end }}

{{/* (dict "root" $ "part" .Values.pilot): where a part's pods may run, and what their images are pulled with. */}}
{{- define "keelson.placement" -}}
{{- $settings := dict -}}
{{- range $name := list "nodeSelector" "affinity" "tolerations" "topologySpreadConstraints" -}}
{{- with index $.part $name }}{{ $_ := set $settings $name . }}{{ end -}}
{{- end -}}
{{- with .root.Values.global.imagePullSecrets -}}
{{- $secrets := list -}}
{{- range . }}{{ $secrets = append $secrets (dict "name" .) }}{{ end -}}
{{- $_ := set $settings "imagePullSecrets" $secrets -}}
{{- end -}}
{{- if $settings }}{{ toYaml $settings }}{{ end -}}
{{- end }}

{{/* More than one control plane may run. */}}
{{- define "keelson.severalPilots" -}}
{{- $pilot := .Values.pilot -}}
{{- $least := ternary $pilot.autoscaleMin $pilot.replicaCount $pilot.autoscaleEnabled -}}
{{- if gt (int $least) 1 }}true{{ end -}}
{{- end }}
