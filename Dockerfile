# The service: `docker build -t encorec .`, then compose.yaml or deploy/kubernetes.yaml.
FROM python:3.11-slim AS build

RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/encorec
WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY src src
COPY configs configs
RUN PIP_BUILD_CONSTRAINT=constraints.txt /opt/encorec/bin/pip install --no-cache-dir --disable-pip-version-check \
    --constraint constraints.txt '.[redis]'

FROM python:3.11-slim

# LightGBM, implicit and faiss share OpenMP.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin encorec \
    && mkdir /data && chown 10001:10001 /data
COPY --from=build /opt/encorec /opt/encorec

# One thread per process for linear algebra: processes share the cores.
ENV PATH=/opt/encorec/bin:$PATH PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_CACHE_DIR=/data/numba \
    ENCOREC_HOST=0.0.0.0 ENCOREC_PORT=8000 ENCOREC_STATE=/data/state.sqlite ENCOREC_LOG_FORMAT=json
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from encorec.serving.client.calls import Client; raise SystemExit(Client('http://127.0.0.1:8000').health().status != 'ready')"]

# The artifact or the store of snapshots is mounted at /artifact, read-only.
ENTRYPOINT ["encorec"]
CMD ["serve", "/artifact"]
