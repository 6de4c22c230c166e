"""The SQL store and schema/README.md against the wire and the contracts: schema_sql.py ROOT.

A silver table has the fields of its kind in schema/event.fbs, in order, after the head (and the mark, where the kind has
one); every mart that other programs read is there with its columns and can be read on an empty store; the README's tables
name the fields of each kind and the columns of each mart as they are.
"""
import pathlib
import re
import sqlite3
import sys

HEAD = ["seq", "customer", "prev", "occurred_us", "version", "state", "id"]
MARK = {"transaction": "branch_minor", "bill_payment": "branch_minor", "sms": "is_competitor", "host_visit": "is_competitor"}
NOT_STORED = {"Unreadable", "BackfillEnd"}      # refused, and a sign: neither is a fact
TYPE = {"string": "TEXT", "long": "INTEGER", "int": "INTEGER", "bool": "INTEGER"}

# The columns that other programs compare; more may stand beside them.
MARTS = {
    "mart_customer": """key name city registered_on client_code tier combined_segment tier_since_us churn_state
        churn_probability inactive_weeks week_index tx_weeks sup_weeks sms_weeks host_weeks transaction_count
        transaction_total_minor transaction_max_minor login_count successful_login_count activity_count activity_minutes
        page_views bill_count bill_total_minor holding_count portfolio_value_minor priority_category overdue_loans dpd
        dpd_bucket""",
    "mart_segment_history": "customer_key from_us to_us tier combined_segment reason cause_seq",
    "mart_churn": "customer_key state probability as_of horizon_weeks reasons model",
    "mart_loan_overdue_month": """month bucket total_loans total_overdue_loans pct_overdue_loans sum_issued_loans_minor
        sum_overdue_payments_minor""",
    "mart_loan_payment": """customer_key loan_name loan_amount_minor loan_start_date payment_number payment_date
        payment_fact_date planned_minor paid_fact_amount_minor is_overdue region gender job_type""",
    "mart_dpd_bucket": "dpd_bucket loans",
    "mart_dpd_transition": "month from_bucket to_bucket loans",
    "mart_offer": """offer_id customer_key queue action offer_type combined_segment expected_revenue_minor offer_priority
        priority_level days_valid created_us expires_us state arm choice_probability reasons policy model""",
    "mart_marketing_daily": """day combined_segment clients_count total_revenue_minor avg_revenue_minor active_clients
        new_clients""",
    "mart_model": "model trained_us is_active method week as_of roc_auc pr_auc lift_10 log_loss recency_roc_auc majority_log_loss",
    "mart_data_quality": "system kind verdict count last_us",
}


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def kinds_of(text):
    """Member of the union -> [(field, type)], from the text of event.fbs."""
    text = re.sub(r"//[^\n]*", "", text)
    members = re.search(r"union Body \{([^}]*)\}", text)[1].replace("\n", " ").split(",")
    tables = {name: re.findall(r"(\w+):(\w+)", body) for name, body in re.findall(r"table (\w+) \{([^}]*)\}", text)}
    return {member.strip(): tables[member.strip()] for member in members}


def silver_findings(database, kinds):
    found = []
    for name, fields in kinds.items():
        table = "silver_" + snake(name)
        columns = [(column, kind) for _, column, kind, *_ in database.execute(f"PRAGMA table_info({table})")]
        if name in NOT_STORED:
            found += [f"{table} is there, but {name} is no fact"] if columns else []
            continue
        head = HEAD + ([MARK[snake(name)]] if snake(name) in MARK else [])
        wanted = [(column, "TEXT" if column == "id" else "INTEGER") for column in head] + [(f, TYPE[kind]) for f, kind in fields]
        if columns != wanted:
            found.append(f"{table} has {columns}, event.fbs gives {wanted}")
    known = {"silver_" + snake(name) for name in kinds}
    tables = database.execute("SELECT name FROM sqlite_master WHERE type='table' AND name GLOB 'silver_*'")
    return found + [f"{table} is of no kind of event" for (table,) in tables if table not in known]


def mart_findings(database):
    found = []
    views = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='view'")]
    for mart, columns in MARTS.items():
        if mart not in views:
            found.append(f"{mart} is not there")
            continue
        has = [column[0] for column in database.execute(f"SELECT * FROM {mart}").description]
        found += [f"{mart} has no column {column}" for column in columns.split() if column not in has]
    for view in views:
        rows = database.execute(f"SELECT * FROM {view}").fetchall()
        found += [f"{view} has {len(rows)} rows on an empty store"] if rows else []
    return found


def named_in(cell):
    """The names of a README cell, without what stands in brackets."""
    return re.findall(r"\w+", re.sub(r"\([^()]*\)|[≥≤>] *\d+", " ", cell))


def readme_findings(text, kinds, database):
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")]
    told = {row[0].rstrip(" *"): named_in(row[-1]) for row in rows}
    wanted = {snake(name): [field for field, _ in fields] for name, fields in kinds.items()}
    views = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='view' AND name GLOB 'mart_*'")]
    wanted |= {view: [column[0] for column in database.execute(f"SELECT * FROM {view}").description] for view in views}
    return [f"schema/README.md tells {told.get(name)} of {name}, it has {has}" for name, has in wanted.items() if told.get(name) != has]


def open_store(root):
    database = sqlite3.connect(":memory:")
    for file in sorted((root / "schema/sql").glob("0*.sql")):
        database.executescript(file.read_text())
    return database


def readme(root):
    return (root / "schema/README.md").read_text(encoding="utf-8")


def self_test(root, kinds):
    """What the checks are for is noticed: a column too few, a field more, a mart gone."""
    expected = []
    database = open_store(root)
    database.execute("ALTER TABLE silver_login DROP COLUMN browser")
    expected.append(any("silver_login" in one for one in silver_findings(database, kinds)))
    database = open_store(root)
    database.execute("DROP VIEW mart_churn")
    database.execute("CREATE VIEW mart_churn AS SELECT 1 AS customer_key")
    found = mart_findings(database)
    expected.append("mart_churn has no column state" in found and "mart_churn has 1 rows on an empty store" in found)
    database.execute("DROP VIEW mart_churn")
    expected.append("mart_churn is not there" in mart_findings(database))
    grown = {**kinds, "Login": kinds["Login"] + [("place", "string")]}
    expected.append(bool(silver_findings(database, grown)))
    expected.append(any("login" in one for one in readme_findings(readme(root), grown, open_store(root))))
    return all(expected)


def main():
    root = pathlib.Path(sys.argv[1])
    kinds = kinds_of((root / "schema/event.fbs").read_text())
    database = open_store(root)
    found = silver_findings(database, kinds) + mart_findings(database) + readme_findings(readme(root), kinds, database)
    if not self_test(root, kinds):
        found.append("the check itself does not notice what it is for")
    for one in found:
        print(one)
    print(f"{len(kinds)} kinds and {len(MARTS)} marts checked, {len(found)} findings")
    return 1 if found or len(kinds) < 25 else 0


sys.exit(main())
