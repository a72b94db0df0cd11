# The assistant in a container: the steps are those of the Makefile. Build: docker build -t boussole17 .
FROM python:3.11-slim AS made
WORKDIR /app
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
COPY . .
ENV BOUSSOLE_CACHE=/app/cache
RUN make index

FROM python:3.11-slim
RUN useradd --uid 10017 --no-create-home boussole && mkdir /data && chown boussole /data
COPY --from=made /app /app
WORKDIR /app
USER 10017
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    BOUSSOLE_CACHE=/app/cache \
    BOUSSOLE_INDEX=/app/index \
    BOUSSOLE_DATA=/data \
    BOUSSOLE_HOST=0.0.0.0
VOLUME /data
EXPOSE 8017
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8017/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["boussole", "serve"]
