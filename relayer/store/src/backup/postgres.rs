//! Between Postgres and the file, table by table.

use super::tables::{Kind, TABLES, Table};
use crate::{
    DeploymentId, StoreError, deployment, migrate,
    postgres::{Amount, Failure, connect, migrate as schema},
};
use deadpool_postgres::Transaction;
use futures::TryStreamExt;
use rusqlite::{Connection, types::Value};
use std::path::Path;
use tokio_postgres::{Row, types::ToSql};

/// Rows in one statement.
const ROWS: usize = 2_000;

fn value_at(row: &Row, column: usize, kind: Kind) -> Result<Value, Failure> {
    fn some<T>(value: Option<T>, made: impl FnOnce(T) -> Value) -> Value {
        value.map_or(Value::Null, made)
    }
    Ok(match kind {
        Kind::Int => some(row.try_get(column)?, Value::Integer),
        Kind::Bool => some(row.try_get::<_, Option<bool>>(column)?, |yes| Value::Integer(yes.into())),
        Kind::Amount => some(row.try_get::<_, Option<Amount>>(column)?, |amount| Value::Blob(amount.0.to_be_bytes().to_vec())),
        Kind::Bytes => some(row.try_get(column)?, Value::Blob),
        Kind::Text => some(row.try_get(column)?, Value::Text),
    })
}

/// Fills a fresh file with everything, as it is at one moment.
pub async fn dump(config: &tokio_postgres::Config, expected: &DeploymentId, to: &Path) -> Result<(), StoreError> {
    let db = connect::connect_to_read(config).await?;
    migrate::is_current(schema::applied(&db).await?.as_deref())?;
    connect::check_deployment(&db, expected, false).await?;
    let mut file = Connection::open(to)?;
    migrate::up(&mut file)?;
    let mut client = db.client().await?;
    let snapshot = client.build_transaction().isolation_level(tokio_postgres::IsolationLevel::RepeatableRead).read_only(true).start().await;
    let snapshot = snapshot.map_err(Failure::from)?;
    file.execute_batch("BEGIN; DELETE FROM marks")?;
    for table in TABLES {
        dump_table(&snapshot, table, &file).await?;
    }
    file.execute_batch("COMMIT")?;
    Ok(())
}

async fn dump_table(snapshot: &Transaction<'_>, table: &Table, file: &Connection) -> Result<(), StoreError> {
    let places = vec!["?"; table.columns.len()].join(", ");
    let insert = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.names());
    let none: [&(dyn ToSql + Sync); 0] = [];
    let rows = snapshot.query_raw(&format!("SELECT {} FROM {}", table.names(), table.name), none).await.map_err(Failure::from)?;
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.try_next().await.map_err(Failure::from)? {
        let values = table.columns.iter().enumerate().map(|(column, (_, kind))| value_at(&row, column, *kind)).collect::<Result<Vec<_>, _>>()?;
        file.prepare_cached(&insert)?.execute(rusqlite::params_from_iter(values))?;
    }
    Ok(())
}

/// Puts a checked file into an empty database, in one transaction.
pub async fn load(config: &tokio_postgres::Config, expected: &DeploymentId, from: &Path) -> Result<(), StoreError> {
    let db = connect::connect(config).await?;
    connect::assert_durable(&db).await?;
    schema::up(&db).await?;
    let file = Connection::open(from)?;
    let mut client = db.client().await?;
    let tx = client.transaction().await.map_err(Failure::from)?;
    // The row that makes it a relayer's database: whoever else begins one now waits, and finds it bound.
    if let Some(found) = connect::read_deployment(&tx).await? {
        deployment::compare(&found, expected)?;
        return Err(StoreError::NotEmpty);
    }
    tx.batch_execute("DELETE FROM marks").await.map_err(Failure::from)?;
    for table in TABLES {
        load_table(&file, table, &tx).await?;
    }
    tx.commit().await.map_err(Failure::from)?;
    Ok(())
}

/// A column of many rows, as Postgres takes it.
enum Column {
    Ints(Vec<Option<i64>>),
    Bools(Vec<Option<bool>>),
    Amounts(Vec<Option<Amount>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Texts(Vec<Option<String>>),
}

impl Column {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Int => Self::Ints(Vec::new()),
            Kind::Bool => Self::Bools(Vec::new()),
            Kind::Amount => Self::Amounts(Vec::new()),
            Kind::Bytes => Self::Bytes(Vec::new()),
            Kind::Text => Self::Texts(Vec::new()),
        }
    }

    fn push(&mut self, row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<()> {
        match self {
            Self::Ints(values) => values.push(row.get(column)?),
            Self::Bools(values) => values.push(row.get(column)?),
            Self::Amounts(values) => values.push(row.get::<_, Option<[u8; 16]>>(column)?.map(|bytes| Amount(u128::from_be_bytes(bytes)))),
            Self::Bytes(values) => values.push(row.get(column)?),
            Self::Texts(values) => values.push(row.get(column)?),
        }
        Ok(())
    }

    fn array(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Ints(values) => values,
            Self::Bools(values) => values,
            Self::Amounts(values) => values,
            Self::Bytes(values) => values,
            Self::Texts(values) => values,
        }
    }
}

fn array_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Int => "bigint[]",
        Kind::Bool => "boolean[]",
        Kind::Amount => "numeric[]",
        Kind::Bytes => "bytea[]",
        Kind::Text => "text[]",
    }
}

async fn load_table(file: &Connection, table: &Table, tx: &Transaction<'_>) -> Result<(), StoreError> {
    let arrays: Vec<_> = table.columns.iter().enumerate().map(|(place, (_, kind))| format!("${}::{}", place + 1, array_type(*kind))).collect();
    let insert = format!("INSERT INTO {} ({}) SELECT * FROM unnest({})", table.name, table.names(), arrays.join(", "));
    let insert = tx.prepare_cached(&insert).await.map_err(Failure::from)?;
    let mut query = file.prepare(&format!("SELECT {} FROM {}", table.names(), table.name))?;
    let mut rows = query.query([])?;
    loop {
        let mut columns: Vec<_> = table.columns.iter().map(|(_, kind)| Column::new(*kind)).collect();
        let mut count = 0;
        while count < ROWS
            && let Some(row) = rows.next()?
        {
            columns.iter_mut().enumerate().try_for_each(|(place, column)| column.push(row, place))?;
            count += 1;
        }
        if count == 0 {
            return Ok(());
        }
        let arrays: Vec<_> = columns.iter().map(Column::array).collect();
        tx.execute(&insert, &arrays).await.map_err(Failure::from)?;
    }
}
