CREATE TABLE factor_returns (
	frequency TEXT NOT NULL, 
	date TEXT NOT NULL, 
	mkt_rf REAL, 
	smb REAL, 
	hml REAL, 
	smb5 REAL, 
	rmw REAL, 
	cma REAL, 
	mom REAL, 
	rf REAL, 
	PRIMARY KEY (frequency, date), 
	CHECK (date(date, '+0 days') IS date), 
	CHECK (frequency IN ('D', 'M'))
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE fetch_log (
	run_id TEXT NOT NULL, 
	ticker TEXT NOT NULL, 
	status TEXT NOT NULL, 
	rows INTEGER, 
	message TEXT, 
	PRIMARY KEY (run_id, ticker)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE frontier_points (
	universe TEXT NOT NULL, 
	as_of TEXT NOT NULL, 
	estimator TEXT NOT NULL, 
	point INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	ticker TEXT, 
	expected_return REAL NOT NULL, 
	volatility REAL NOT NULL, 
	sharpe_ratio REAL, 
	PRIMARY KEY (universe, as_of, estimator, point), 
	CHECK (kind IN ('frontier', 'min_variance', 'max_sharpe', 'random', 'asset'))
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE frontier_runs (
	universe TEXT NOT NULL, 
	as_of TEXT NOT NULL, 
	estimator TEXT NOT NULL, 
	start_date TEXT NOT NULL, 
	end_date TEXT NOT NULL, 
	n_obs INTEGER NOT NULL, 
	risk_free_rate REAL, 
	PRIMARY KEY (universe, as_of, estimator)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE instruments (
	ticker TEXT NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	sector TEXT, 
	industry TEXT, 
	currency TEXT, 
	exchange TEXT, 
	first_date TEXT, 
	last_date TEXT, 
	active INTEGER NOT NULL, 
	PRIMARY KEY (ticker), 
	CHECK (kind IN ('stock', 'etf', 'index')), 
	CHECK (active IN (0, 1))
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE published (
	run_id TEXT NOT NULL, 
	source TEXT NOT NULL, 
	published_at TEXT NOT NULL, 
	code_version TEXT NOT NULL, 
	PRIMARY KEY (run_id)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE rates (
	series TEXT NOT NULL, 
	date TEXT NOT NULL, 
	value REAL NOT NULL, 
	PRIMARY KEY (series, date), 
	CHECK (date(date, '+0 days') IS date), 
	CHECK (value > -0.2 AND value < 1)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE rejects (
	run_id TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	ticker TEXT, 
	date TEXT, 
	reason TEXT NOT NULL, 
	payload TEXT, 
	PRIMARY KEY (run_id, number)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE runs (
	run_id TEXT NOT NULL, 
	source TEXT NOT NULL, 
	parameters TEXT NOT NULL, 
	status TEXT NOT NULL, 
	started_at TEXT NOT NULL, 
	finished_at TEXT, 
	code_version TEXT NOT NULL, 
	message TEXT, 
	PRIMARY KEY (run_id), 
	CHECK (status IN ('running', 'complete', 'partial', 'failed'))
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE step_runs (
	run_id TEXT NOT NULL, 
	step TEXT NOT NULL, 
	status TEXT NOT NULL, 
	started_at TEXT NOT NULL, 
	seconds REAL, 
	rows_written INTEGER, 
	rows_rejected INTEGER, 
	message TEXT, 
	PRIMARY KEY (run_id, step), 
	CHECK (status IN ('running', 'complete', 'partial', 'failed'))
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE table_checksums (
	run_id TEXT NOT NULL, 
	table_name TEXT NOT NULL, 
	rows INTEGER NOT NULL, 
	checksum TEXT NOT NULL, 
	PRIMARY KEY (run_id, table_name)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE universe_members (
	universe TEXT NOT NULL, 
	ticker TEXT NOT NULL, 
	start_date TEXT NOT NULL, 
	end_date TEXT, 
	PRIMARY KEY (universe, ticker, start_date), 
	CHECK (date(start_date, '+0 days') IS start_date)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE corporate_actions (
	ticker TEXT NOT NULL, 
	date TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	value REAL NOT NULL, 
	PRIMARY KEY (ticker, date, kind), 
	CHECK (date(date, '+0 days') IS date), 
	CHECK (kind IN ('dividend', 'split')), 
	CHECK (value > 0), 
	FOREIGN KEY(ticker) REFERENCES instruments (ticker)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE factor_loadings (
	ticker TEXT NOT NULL, 
	model TEXT NOT NULL, 
	frequency TEXT NOT NULL, 
	window_months INTEGER NOT NULL, 
	as_of TEXT NOT NULL, 
	factor TEXT NOT NULL, 
	beta REAL, 
	std_err REAL, 
	t_stat REAL, 
	p_value REAL, 
	std_err_ols REAL, 
	PRIMARY KEY (ticker, model, frequency, window_months, as_of, factor), 
	FOREIGN KEY(ticker) REFERENCES instruments (ticker)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE factor_model_fits (
	ticker TEXT NOT NULL, 
	model TEXT NOT NULL, 
	frequency TEXT NOT NULL, 
	window_months INTEGER NOT NULL, 
	as_of TEXT NOT NULL, 
	sample_start TEXT NOT NULL, 
	sample_end TEXT NOT NULL, 
	n_obs INTEGER NOT NULL, 
	alpha REAL, 
	alpha_se REAL, 
	alpha_t REAL, 
	alpha_low REAL, 
	alpha_high REAL, 
	r_squared REAL, 
	residual_vol REAL, 
	expected_return REAL, 
	expected_return_se REAL, 
	PRIMARY KEY (ticker, model, frequency, window_months, as_of), 
	CHECK (as_of >= sample_end), 
	CHECK (n_obs > 0), 
	FOREIGN KEY(ticker) REFERENCES instruments (ticker)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE frontier_weights (
	universe TEXT NOT NULL, 
	as_of TEXT NOT NULL, 
	estimator TEXT NOT NULL, 
	point INTEGER NOT NULL, 
	ticker TEXT NOT NULL, 
	weight REAL NOT NULL, 
	PRIMARY KEY (universe, as_of, estimator, point, ticker), 
	CHECK (weight >= 0 AND weight <= 1), 
	FOREIGN KEY(ticker) REFERENCES instruments (ticker)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE prices (
	ticker TEXT NOT NULL, 
	date TEXT NOT NULL, 
	open REAL, 
	high REAL, 
	low REAL, 
	close REAL NOT NULL, 
	adj_close REAL NOT NULL, 
	volume REAL, 
	PRIMARY KEY (ticker, date), 
	CHECK (date(date, '+0 days') IS date), 
	CHECK (close > 0 AND close < 1e7 AND adj_close > 0 AND adj_close < 1e7), 
	CHECK (open > 0 AND high >= max(open, close) AND low <= min(open, close) AND low > 0 AND high < 1e7), 
	CHECK (volume >= 0 AND volume < 1e15), 
	FOREIGN KEY(ticker) REFERENCES instruments (ticker)
)
 WITHOUT ROWID,
 STRICT;
CREATE TABLE technical_signals (
	ticker TEXT NOT NULL, 
	date TEXT NOT NULL, 
	adx_14 REAL, 
	plus_di_14 REAL, 
	minus_di_14 REAL, 
	atr_14 REAL, 
	bb_upper REAL, 
	bb_middle REAL, 
	bb_lower REAL, 
	cci_20 REAL, 
	ema_12 REAL, 
	ema_26 REAL, 
	macd REAL, 
	macd_signal REAL, 
	macd_hist REAL, 
	mfi_14 REAL, 
	obv REAL, 
	roc_12 REAL, 
	rsi_14 REAL, 
	sma_20 REAL, 
	sma_50 REAL, 
	sma_200 REAL, 
	stoch_k REAL, 
	stoch_d REAL, 
	williams_r_14 REAL, 
	vote_adx INTEGER, 
	vote_bollinger INTEGER, 
	vote_cci INTEGER, 
	vote_ema INTEGER, 
	vote_macd INTEGER, 
	vote_mfi INTEGER, 
	vote_obv INTEGER, 
	vote_roc INTEGER, 
	vote_rsi INTEGER, 
	vote_sma INTEGER, 
	vote_stochastic INTEGER, 
	vote_williams_r INTEGER, 
	buy_votes INTEGER, 
	sell_votes INTEGER, 
	overall_signal INTEGER, 
	rating_score REAL, 
	rating_label TEXT, 
	PRIMARY KEY (ticker, date), 
	CHECK (overall_signal IN (-1, 0, 1)), 
	CHECK (rating_score BETWEEN -1 AND 1), 
	CHECK (rating_label IN ('strong sell', 'sell', 'neutral', 'buy', 'strong buy')), 
	FOREIGN KEY(ticker) REFERENCES instruments (ticker)
)
 WITHOUT ROWID,
 STRICT;
