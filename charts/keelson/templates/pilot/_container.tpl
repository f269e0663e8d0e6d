{{/* What the container of the control plane is given, by the names of istiod's manifest. */}}

{{- define "keelson.pilotEnvironment" -}}
{{- $given := .Values.pilot.env -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: SERVICE_ACCOUNT
  valueFrom:
    fieldRef:
      fieldPath: spec.serviceAccountName
{{- /* Webhooks that inject sidecars are not this chart's, nor is its account given leave to change them. */}}
{{- $said := dict
  "INJECTION_WEBHOOK_CONFIG_NAME" ""
  "REVISION" (include "keelson.revision" .)
  "PILOT_CERT_PROVIDER" .Values.global.pilotCertProvider
  "CLUSTER_ID" (.Values.global.multiCluster.clusterName | default "Kubernetes")
  "PILOT_TRACE_SAMPLING" .Values.pilot.traceSampling
  "TOKEN_AUDIENCES" .Values.global.sds.token.aud
}}
{{- range $name, $value := mergeOverwrite $said (deepCopy $given) }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- with .Values.pilot.envVarFrom }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "keelson.pilotMounts" -}}
# The mesh configuration, where Pilot has looked for it since 0.2.
- name: mesh
  mountPath: /etc/istio/config
  readOnly: true
# A root that is given: Secret "cacerts".
- name: cacerts
  mountPath: /etc/cacerts
  readOnly: true
# A certificate of its own that is given: Secret "istiod-tls", with the roots in a ConfigMap.
- name: istiod-tls
  mountPath: /var/run/secrets/istiod/tls
  readOnly: true
- name: istiod-ca
  mountPath: /var/run/secrets/istiod/ca
  readOnly: true
{{- with .Values.pilot.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "keelson.pilotVolumes" -}}
- name: mesh
  configMap:
    name: istio{{ with .Values.revision }}-{{ . }}{{ end }}
- name: cacerts
  secret:
    secretName: cacerts
    optional: true
- name: istiod-tls
  secret:
    secretName: istiod-tls
    optional: true
- name: istiod-ca
  configMap:
    name: istio-ca-root-cert
    optional: true
{{- with .Values.pilot.volumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
