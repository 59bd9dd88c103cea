"""Where on its page, or in its JSON, a source's articles stand. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("sources", sa.Column("selectors", sa.Text(), server_default=sa.text("''"), nullable=False))
