"""What the items of a feed can have in common, beside their hashes. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("sources", sa.Column("item_marks", sa.LargeBinary(), nullable=True))
