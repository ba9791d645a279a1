# hello-server as an image: docker build -t hello-server .
# Another base, with node, npm and a shell: docker build --build-arg NODE_IMAGE=node:22-slim -t hello-server .
ARG NODE_IMAGE=node:24-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# First what the dependencies hang on: a change of the source does not fetch them again.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run prepare && npm prune --omit=dev
# What an editor and a debugger want of the modules that others import is of no use in a container.
RUN find dist/lib -name '*.map' -delete -o -name '*.d.ts' -delete

FROM ${NODE_IMAGE}
# The control socket's folder is in /dev/shm: writable also with --read-only, and nobody else's.
ENV NODE_ENV=production XDG_RUNTIME_DIR=/dev/shm
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY scripts/healthcheck.js scripts/
RUN ln -s /app/dist/main.js /usr/local/bin/hello-server
# By number, so that Kubernetes can see that it is not root; in the public images it is the user node.
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["node", "/app/scripts/healthcheck.js"]
# What follows the image's name in docker run is the command line of hello-server: an APP, a command, nothing for Hello.
ENTRYPOINT ["hello-server"]
