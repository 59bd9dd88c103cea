"""The address by which an article page in the inbox was asked for. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("inbox", sa.Column("asked_url", sa.Text(), nullable=True))
