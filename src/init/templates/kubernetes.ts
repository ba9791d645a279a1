// The template of a manifest for Kubernetes: a Deployment, its Service and the budget of its disruptions.

export interface Manifest {
  readonly name: string;
  /** The path of the manifest, from where kubectl is called. */
  readonly file: string;
  readonly image: string;
  /** What the container is told to run; empty = what the image says. */
  readonly args: readonly string[];
  readonly port: number;
  readonly adminPort: number;
  readonly shutdownDelay: number;
  readonly shutdownTimeout: number;
  /** Above the sum of both, in seconds. */
  readonly graceSeconds: number;
  /** Where to read of the settings. */
  readonly settingsFile: string;
  /** Settings beside the delay, the log's format and those of the admin listener. */
  readonly settings: Readonly<Record<string, string>>;
  readonly logFormat: string;
}

export function manifest(values: Manifest): string {
  const { name, file, image, args, port, adminPort, shutdownDelay, shutdownTimeout, graceSeconds } = values;
  const about =
    args.length === 0
      ? 'An app of your own: the image has to bring it; args: [/srv/app/app.js] under the container names it.'
      : `The image brings the app: docker build -t ${image} . makes it of a Dockerfile that hello-server init docker writes.`;
  const more = Object.entries(values.settings).map(
    ([variable, value]) => `            - name: ${variable}\n              value: ${quoted(value)}\n`,
  );
  return `# ${name} on Kubernetes: kubectl apply -f ${file}
# ${about}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    app.kubernetes.io/name: ${name}
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: ${name}
  # A pod goes when its successor is ready.
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ${name}
    spec:
      # A stop: SHUTDOWN_DELAY ${shutdownDelay} + SHUTDOWN_TIMEOUT ${shutdownTimeout} < terminationGracePeriodSeconds. Who raises one of the first two
      # raises the third.
      terminationGracePeriodSeconds: ${graceSeconds}
      # It asks nothing of the cluster.
      automountServiceAccountToken: false
      # No variable for each Service there is. Those of a Service called hello-server would begin with HELLO_SERVER_;
      # none is one that the program reads.
      enableServiceLinks: false
      # On different nodes where there are some.
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              app.kubernetes.io/name: ${name}
      # With the container's own: all that the Pod Security Standard \`restricted\` asks for.
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        runAsGroup: 1000
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: ${name}
          image: ${image}
${args.length === 0 ? '' : `          args: [${args.map(quoted).join(', ')}]\n`}          # Every setting: ${values.settingsFile}.
          env:
            # The pod is taken out of the Service when its deletion begins; that takes a moment to reach everybody.
            # Until then it goes on accepting.
            - name: SHUTDOWN_DELAY
              value: '${shutdownDelay}'
            - name: LOG_FORMAT
              value: ${values.logFormat}
            # What is seen of the inside: probes, metrics and a page. All addresses of the pod, as probes and Prometheus
            # come to its IP, and \`kubectl port-forward\` to its loopback; where the cluster has IPv6 alone: '::'. The
            # Service below does not lead there, so nobody outside of the cluster does; within it a NetworkPolicy may say who.
            - name: ADMIN_PORT
              value: '${adminPort}'
            - name: ADMIN_HOST
              value: 0.0.0.0
${more.join('')}          ports:
            - name: http
              containerPort: ${port}
            # deploy/prometheus.yaml of hello-server has the job that finds this port by its name.
            - name: admin
              containerPort: ${adminPort}
          # The probes ask the primary, whatever the app answers on its own paths.
          # Started: the primary runs.
          startupProbe:
            httpGet:
              path: /livez
              port: admin
            periodSeconds: 1
            timeoutSeconds: 2
            failureThreshold: 30
          # Ready: a worker is ready and well, and nobody has asked for a stop. A pod that stops by itself is noticed within
          # 2 + 2 s, inside its SHUTDOWN_DELAY.
          readinessProbe:
            httpGet:
              path: /readyz
              port: admin
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: 1
          # Alive: the primary turns, and a worker serves or boots; in a stop too. The primary sees to workers that hang
          # or crash, and exits when none can serve. Three failures last longer than its longest pause before it boots one
          # again, 18 s.
          livenessProbe:
            httpGet:
              path: /livez
              port: admin
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
          # WEB_CONCURRENCY=auto makes as many workers as the CPU limit allows, rounded up: 2. Without a limit it makes
          # one for each CPU of the node. A process of Hello takes about 55 MiB; a reload may have five workers for a
          # while (2 that drain, 2 that serve, 1 that boots), with the primary 6 x 55 = 330 MiB.
          resources:
            requests:
              cpu: 500m
              memory: 256Mi
            limits:
              cpu: '2'
              memory: 512Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  labels:
    app.kubernetes.io/name: ${name}
spec:
  selector:
    app.kubernetes.io/name: ${name}
  ports:
    - name: http
      port: 80
      targetPort: http
---
# The drain of a node takes one pod at a time.
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: ${name}
  labels:
    app.kubernetes.io/name: ${name}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: ${name}
`;
}

/** A text of YAML's; it has no control characters. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
