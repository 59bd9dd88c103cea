# The desk in one container: `docker compose up`, or
#   docker build -t wiredesk . && docker run --init -p 8080:8080 -v wiredesk:/data -v ./config:/config:ro wiredesk
FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    WIREDESK_CONFIG=/config \
    WIREDESK_DATA=/data

WORKDIR /srv/wiredesk
# Requirements first: they change seldom, and their layer is kept while the program changes.
COPY requirements-postgres.txt ./
RUN pip install -r requirements-postgres.txt \
    && groupadd --system --gid 10001 wiredesk \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --shell /usr/sbin/nologin wiredesk \
    && install -d -o wiredesk -g wiredesk /data
COPY feeds ./feeds
COPY config /config
RUN python -m compileall -q feeds

USER 10001:10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
ENTRYPOINT ["python", "-m", "feeds.cli"]
CMD ["run", "--host", "0.0.0.0", "--port", "8080"]
