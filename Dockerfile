# One static binary, its certificates and an empty folder for its state. See "In a container" in docs/operating.md.
#
# Both base images can be replaced, for instance by a mirror's or by digest: --build-arg RUST=… --build-arg RUNTIME=…
ARG RUST=docker.io/library/rust:1.95-slim-bookworm
ARG RUNTIME=scratch

# hadolint ignore=DL3006
FROM ${RUST} AS build
WORKDIR /build
# The C library is linked in, so that the last stage needs none; naming the target keeps the flag away from build scripts.
ENV RUSTFLAGS="-C target-feature=+crt-static"
COPY Cargo.toml Cargo.lock ./
# The dependencies alone, in a layer that stays as long as the two files above do. Tests and benchmarks are not copied, so
# their sections go.
RUN awk '/^\[/ { skip = /^\[\[(test|bench)\]\]/ } !skip' Cargo.toml > stripped && mv stripped Cargo.toml \
  && mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs \
  && cargo build --locked --release --target "$(rustc --print host-tuple)"
COPY migrations migrations
COPY templates templates
COPY examples examples
COPY src src
RUN target=$(rustc --print host-tuple) \
  && touch src/main.rs src/lib.rs \
  && cargo build --locked --release --target "$target" \
  && mkdir -p /out/data \
  && cp "target/$target/release/promptops" /out/promptops

FROM ${RUNTIME}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="PromptOps" \
  org.opencontainers.image.description="A merge gate for prompts" \
  org.opencontainers.image.source="https://github.com/promptops/promptops" \
  org.opencontainers.image.documentation="https://github.com/promptops/promptops/blob/main/docs/operating.md" \
  org.opencontainers.image.licenses="MIT OR Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/promptops /promptops
COPY LICENSE-APACHE LICENSE-MIT /licenses/
ENV PROMPTOPS_LISTEN=0.0.0.0:8080 \
  PROMPTOPS_DATABASE_URL=sqlite:///data/promptops.db \
  TMPDIR=/data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 CMD ["/promptops", "healthcheck"]
ENTRYPOINT ["/promptops"]
CMD ["serve"]
