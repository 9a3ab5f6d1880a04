CREATE TABLE backtesting_results (
	result_id TEXT NOT NULL, 
	test_date TEXT NOT NULL, 
	strategy_name TEXT NOT NULL, 
	params TEXT NOT NULL, 
	tickers TEXT NOT NULL, 
	start_date TEXT NOT NULL, 
	end_date TEXT NOT NULL, 
	data_run_id TEXT NOT NULL, 
	code_version TEXT NOT NULL, 
	total_return REAL, 
	sharpe_ratio REAL, 
	max_drawdown REAL, 
	metrics TEXT NOT NULL, 
	audit TEXT NOT NULL, 
	PRIMARY KEY (result_id)
)
 WITHOUT ROWID,
 STRICT;
CREATE INDEX backtesting_results_by_date ON backtesting_results (test_date);
CREATE TABLE jobs (
	job_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	state TEXT NOT NULL, 
	progress REAL NOT NULL, 
	message TEXT, 
	owner TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	heartbeat_at TEXT NOT NULL, 
	deadline_at TEXT NOT NULL, 
	result_id TEXT, 
	PRIMARY KEY (job_id), 
	CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'lost'))
)
 WITHOUT ROWID,
 STRICT;
CREATE INDEX jobs_by_state ON jobs (state, created_at);
CREATE TABLE portfolios (
	name TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	universe TEXT NOT NULL, 
	source TEXT NOT NULL, 
	request TEXT NOT NULL, 
	data_run_id TEXT NOT NULL, 
	as_of TEXT NOT NULL, 
	PRIMARY KEY (name), 
	CHECK (date(as_of, '+0 days') IS as_of), 
	CHECK (json_valid(request))
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE sweeps (
	sweep_id TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	strategy TEXT NOT NULL, 
	params TEXT NOT NULL, 
	axes TEXT NOT NULL, 
	tickers TEXT NOT NULL, 
	start_date TEXT NOT NULL, 
	end_date TEXT NOT NULL, 
	data_run_id TEXT NOT NULL, 
	code_version TEXT NOT NULL, 
	n_cells INTEGER NOT NULL, 
	benchmark_sharpe_ratio REAL, 
	PRIMARY KEY (sweep_id), 
	CHECK (json_valid(params) AND json_valid(axes) AND json_valid(tickers))
)
 WITHOUT ROWID,
 STRICT;
CREATE INDEX sweeps_by_date ON sweeps (created_at);
CREATE TABLE trials (
	id TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	hypothesis TEXT NOT NULL, 
	result_id TEXT, 
	sharpe_ratio REAL, 
	n_obs REAL, 
	skewness REAL, 
	kurtosis REAL, 
	PRIMARY KEY (id)
)
 WITHOUT ROWID,
 STRICT;
CREATE INDEX trials_by_hypothesis ON trials (hypothesis);
CREATE TABLE backtesting_equity (
	result_id TEXT NOT NULL, 
	date TEXT NOT NULL, 
	equity REAL, 
	benchmark REAL, 
	drawdown REAL, 
	gross_exposure REAL, 
	net_exposure REAL, 
	cash REAL, 
	turnover REAL, 
	risk_free REAL, 
	PRIMARY KEY (result_id, date), 
	FOREIGN KEY(result_id) REFERENCES backtesting_results (result_id)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE backtesting_questions (
	question_id TEXT NOT NULL, 
	result_id TEXT NOT NULL, 
	data_run_id TEXT NOT NULL, 
	PRIMARY KEY (question_id), 
	FOREIGN KEY(result_id) REFERENCES backtesting_results (result_id)
)
 WITHOUT ROWID,
 STRICT;
CREATE INDEX backtesting_questions_by_result ON backtesting_questions (result_id, data_run_id);
CREATE TABLE backtesting_tickers (
	result_id TEXT NOT NULL, 
	ticker TEXT NOT NULL, 
	total_return REAL, 
	annual_return REAL, 
	annual_volatility REAL, 
	sharpe_ratio REAL, 
	max_drawdown REAL, 
	n_trades REAL, 
	win_rate REAL, 
	buy_and_hold_return REAL, 
	contribution REAL, 
	PRIMARY KEY (result_id, ticker), 
	FOREIGN KEY(result_id) REFERENCES backtesting_results (result_id)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE backtesting_trades (
	result_id TEXT NOT NULL, 
	trade_id INTEGER NOT NULL, 
	ticker TEXT NOT NULL, 
	direction TEXT NOT NULL, 
	entry_date TEXT NOT NULL, 
	entry_price REAL, 
	exit_date TEXT, 
	exit_price REAL, 
	quantity REAL, 
	fees REAL, 
	slippage REAL, 
	borrow REAL, 
	pnl REAL, 
	return_pct REAL, 
	reason TEXT, 
	spread REAL, 
	impact REAL, 
	entry_reason TEXT, 
	PRIMARY KEY (result_id, trade_id), 
	FOREIGN KEY(result_id) REFERENCES backtesting_results (result_id)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE portfolio_weights (
	name TEXT NOT NULL, 
	ticker TEXT NOT NULL, 
	weight REAL NOT NULL, 
	PRIMARY KEY (name, ticker), 
	CHECK (weight >= 0 AND weight <= 1), 
	FOREIGN KEY(name) REFERENCES portfolios (name)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE result_notes (
	result_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	note TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	PRIMARY KEY (result_id), 
	FOREIGN KEY(result_id) REFERENCES backtesting_results (result_id)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE sweep_cells (
	sweep_id TEXT NOT NULL, 
	cell INTEGER NOT NULL, 
	trial_id TEXT NOT NULL, 
	parameters TEXT NOT NULL, 
	sharpe_ratio REAL, 
	total_return REAL, 
	annual_return REAL, 
	annual_volatility REAL, 
	max_drawdown REAL, 
	n_trades REAL, 
	sums TEXT NOT NULL, 
	problem TEXT, 
	PRIMARY KEY (sweep_id, cell), 
	CHECK (json_valid(parameters) AND json_valid(sums)), 
	FOREIGN KEY(sweep_id) REFERENCES sweeps (sweep_id)
)
 WITHOUT ROWID,
 STRICT;
