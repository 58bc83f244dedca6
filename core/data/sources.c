// SPDX-License-Identifier: Apache-2.0
/* The catalogue.  Hashes are SHA-256 of uncompressed content; a file that differs is refused. */
#include <string.h>

#include "core/data/sources.h"

#define OWN "Apache-2.0 (part of isoeps)"

// clang-format off
const iso_data_source iso_data_sources[] = {
	{.info = {"sim-mixture", "25 Gaussians on a 5x5 grid", OWN,
		  "core/data/sim_simple.c", 0, 1, 0},
	 .schema = "sim-mixture.json", .simulate = iso_sim_mixture, .default_rows = 5000, .upstream = "embedded"},
	{.info = {"sim-census", "Simulated census records from a known Bayesian network", OWN,
		  "core/data/sim_census.c", 0, 1, 0},
	 .schema = "sim-census.json", .simulate = iso_sim_census, .default_rows = 5000, .upstream = "embedded"},
	{.info = {"sim-digits", "Procedural 28x28 digits", OWN,
		  "core/data/sim_digits.c", 0, 1, 0},
	 .schema = "sim-digits.json", .simulate = iso_sim_digits, .default_rows = 5000, .upstream = "embedded"},
	{.info = {"sim-series", "Simulated series of 24 steps in three classes", OWN,
		  "core/data/sim_simple.c", 0, 1, 0},
	 .schema = "sim-series.json", .simulate = iso_sim_series, .default_rows = 5000, .upstream = "embedded"},
	{.info = {"wdbc", "UCI Breast Cancer Wisconsin (Diagnostic)", "CC BY 4.0 (UCI Machine Learning Repository terms)",
		  "Wolberg, W., Mangasarian, O., Street, N. & Street, W. (1993). Breast Cancer Wisconsin (Diagnostic). UCI Machine Learning Repository. doi:10.24432/C5DW2B", 569, 1, 0},
	 .schema = "wdbc.json", .embedded = "wdbc.csv", .upstream = "https://archive.ics.uci.edu/dataset/17/breast+cancer+wisconsin+diagnostic"},
	{.info = {"digits", "Optical recognition of handwritten digits, 8x8 (test part)", "CC BY 4.0 (UCI Machine Learning Repository terms)",
		  "Alpaydin, E. & Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI Machine Learning Repository. doi:10.24432/C50P49", 1797, 1, 0},
	 .schema = "digits.json", .embedded = "digits.csv", .upstream = "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits"},
	{.info = {"adult", "UCI Adult (Census Income)", "CC BY 4.0 (UCI Machine Learning Repository terms)",
		  "Becker, B. & Kohavi, R. (1996). Adult. UCI Machine Learning Repository. doi:10.24432/C5XW20", 32561, 0, 1},
	 .schema = "adult.json",
	 .table = {{"adult_train.csv.gz", "f2c62076f19504d99a38b22badf445a7f42530ade6b827acf78dd143fbce38bb", ISO_ADD_HEADER | ISO_TRIM, {{"https://archive.ics.uci.edu/ml/machine-learning-databases/adult/adult.data", "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d", 0}}}},
	 .test = {{"adult_test.csv.gz", "f6b1801c5d231515ea5ff04d4444997bacd57e04876e94710cb9b9bd5549c033", ISO_ADD_HEADER | ISO_TRIM | ISO_DROP_DOT | ISO_DROP_LINE, {{"https://archive.ics.uci.edu/ml/machine-learning-databases/adult/adult.test", "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05", 0}}}},
	 .upstream = "https://archive.ics.uci.edu/dataset/2/adult"},
	{.info = {"mushroom", "UCI Mushroom", "CC BY 4.0 (UCI Machine Learning Repository terms)",
		  "Mushroom (1981/1987), donor J. Schlimmer. UCI Machine Learning Repository. doi:10.24432/C5959T", 8124, 0, 0},
	 .schema = "mushroom.json",
	 .table = {{"mushroom.csv.gz", "7204d38399e2c7c84d85e7a2019081724bb943613e82be5d3523156cfbcf9f64", ISO_ADD_HEADER, {{"https://archive.ics.uci.edu/ml/machine-learning-databases/mushroom/agaricus-lepiota.data", "e65d082030501a3ebcbcd7c9f7c71aa9d28fdfff463bf4cf4716a3fe13ac360e", 0}}}},
	 .upstream = "https://archive.ics.uci.edu/dataset/73/mushroom"},
	{.info = {"wine-quality", "UCI Wine Quality (red + white Vinho Verde)", "CC BY 4.0 (UCI Machine Learning Repository terms)",
		  "Cortez, P., Cerdeira, A., Almeida, F., Matos, T. & Reis, J. (2009). Modeling wine preferences by data mining from physicochemical properties. Decision Support Systems 47(4):547-553. doi:10.24432/C56S3T", 6497, 0, 0},
	 .schema = "wine-quality.json",
	 .table = {{"wine_quality.csv.gz", "b0f0d407aaa0206cbc7d2ef515d7ee8181c27b1777079fc4f63fc02cd1bb8bd0", ISO_ADD_HEADER | ISO_SPLIT_SEMICOLON | ISO_DROP_LINE_PARTS, {{"https://archive.ics.uci.edu/ml/machine-learning-databases/wine-quality/winequality-red.csv", "4a402cf041b025d4566d954c3b9ba8635a3a8a01e039005d97d6a710278cf05e", ",red"}, {"https://archive.ics.uci.edu/ml/machine-learning-databases/wine-quality/winequality-white.csv", "76c3f809815c17c07212622f776311faeb31e87610d52c26d87d6e361b169836", ",white"}}}},
	 .upstream = "https://archive.ics.uci.edu/dataset/186/wine+quality"},
	{.info = {"titanic", "Titanic, full passenger list (Vanderbilt titanic3)", "free to use with attribution (Vanderbilt Biostatistics datasets page); OpenML 40945 says public",
		  "Harrell, F. E. & Cason, T., titanic3, Vanderbilt Biostatistics Datasets", 1309, 0, 0},
	 .schema = "titanic.json",
	 .table = {{"titanic3.csv.gz", "ed378c5e4ef46ab12a4481da9c76e4a056cdc710ee519e2dad46ed9b3f135046", ISO_RAW, {{0}}}},
	 .manual = "save the sheet titanic3.xls as UTF-8 CSV, whole numbers without \".0\"",
	 .upstream = "https://hbiostat.org/data/ (titanic3)"},
	{.info = {"titanic-filler", "Titanic, Kaggle's train_and_test2: the test part's 418 labels are all 0", "CC0 (Kaggle, heptapod/titanic)",
		  "Kaggle user heptapod, Titanic (train_and_test2.csv)", 1309, 0, 0},
	 .schema = "titanic-filler.json",
	 .table = {{"titanic_train_and_test2.csv.gz", "5dbf0393792e2b24672ebd6fedbb25fca4215e692f9e579c8b9da4852a12d894", ISO_RAW, {{0}}}},
	 .manual = "keep the columns Passengerid, Age, Fare, Sex, sibsp, Parch, Pclass, Embarked and 2urvived of train_and_test2.csv",
	 .upstream = "https://www.kaggle.com/datasets/heptapod/titanic"},
	{.info = {"mnist", "MNIST handwritten digits", "CC BY-SA 3.0 (as commonly stated for MNIST)",
		  "LeCun, Y., Bottou, L., Bengio, Y. & Haffner, P. (1998). Gradient-based learning applied to document recognition. Proc. IEEE 86(11):2278-2324", 60000, 0, 1},
	 .schema = "mnist.json",
	 .table = {{"mnist/train-images-idx3-ubyte.gz", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", ISO_RAW, {{"https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db", 0}}},
		   {"mnist/train-labels-idx1-ubyte.gz", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", ISO_RAW, {{"https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5", 0}}}},
	 .test = {{"mnist/t10k-images-idx3-ubyte.gz", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", ISO_RAW, {{"https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7", 0}}},
		  {"mnist/t10k-labels-idx1-ubyte.gz", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", ISO_RAW, {{"https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2", 0}}}},
	 .upstream = "http://yann.lecun.com/exdb/mnist/"},
	{.info = {"fashion-mnist", "Fashion-MNIST", "MIT (c) 2017 Zalando SE",
		  "Xiao, H., Rasul, K. & Vollgraf, R. (2017). Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms. arXiv:1708.07747", 60000, 0, 1},
	 .schema = "fashion-mnist.json",
	 .table = {{"fashion-mnist/train-images-idx3-ubyte.gz", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", ISO_RAW, {{"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", 0}}},
		   {"fashion-mnist/train-labels-idx1-ubyte.gz", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", ISO_RAW, {{"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-labels-idx1-ubyte.gz", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", 0}}}},
	 .test = {{"fashion-mnist/t10k-images-idx3-ubyte.gz", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", ISO_RAW, {{"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-images-idx3-ubyte.gz", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", 0}}},
		  {"fashion-mnist/t10k-labels-idx1-ubyte.gz", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", ISO_RAW, {{"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", 0}}}},
	 .manual = "install the Debian package dataset-fashion-mnist",
	 .upstream = "https://github.com/zalandoresearch/fashion-mnist"},
	{.info = {"pima", "Pima Indians Diabetes", "public (OpenML); CC0 at Kaggle (uciml/pima-indians-diabetes-database)",
		  "Smith, J.W., Everhart, J.E., Dickson, W.C., Knowler, W.C. & Johannes, R.S. (1988). Using the ADAP learning algorithm to forecast the onset of diabetes mellitus", 768, 0, 0},
	 .schema = "pima.json",
	 .table = {{"pima_diabetes.csv.gz", "c62fdc4685d8e47c2a80e2303f88caa99afaeeadea58873fcafffcf288c3c7be", ISO_ADD_HEADER, {{"https://raw.githubusercontent.com/jbrownlee/Datasets/d20fcb6402ae34e653d4513b00f39257bb37ed7f/pima-indians-diabetes.csv", 0, 0}}}},
	 .upstream = "https://www.openml.org/d/37 (formerly UCI; withdrawn there)"},
	{.info = {"german-credit", "UCI Statlog (German Credit Data)", "CC BY 4.0 (UCI Machine Learning Repository terms)",
		  "Hofmann, H. (1994). Statlog (German Credit Data). UCI Machine Learning Repository. doi:10.24432/C5NC77", 1000, 0, 0},
	 .schema = "german-credit.json",
	 .table = {{"german_credit.csv.gz", "302c25f9a04f3253156506baa40b172b3107bf7e26b9bbc46e51c2a062829787", ISO_ADD_HEADER | ISO_SPLIT_SPACE, {{"https://archive.ics.uci.edu/ml/machine-learning-databases/statlog/german/german.data", 0, 0}}}},
	 .upstream = "https://archive.ics.uci.edu/dataset/144/statlog+german+credit+data"},
	{.info = {"satellite", "UCI Statlog (Landsat Satellite)", "CC BY 4.0 (UCI Machine Learning Repository terms)",
		  "Srinivasan, A. (1993). Statlog (Landsat Satellite). UCI Machine Learning Repository. doi:10.24432/C55887", 6435, 0, 0},
	 .schema = "satellite.json",
	 .table = {{"statlog_satellite.csv.gz", "ecfa4811a3004047798ec592688ad8497a53116ffec2f76c245eac27c2323345", ISO_ADD_HEADER | ISO_SPLIT_SPACE, {{"https://archive.ics.uci.edu/ml/machine-learning-databases/statlog/satimage/sat.trn", 0, 0}, {"https://archive.ics.uci.edu/ml/machine-learning-databases/statlog/satimage/sat.tst", 0, 0}}}},
	 .upstream = "https://archive.ics.uci.edu/dataset/146/statlog+landsat+satellite"},
	{.info = {"cmc", "UCI Contraceptive Method Choice", "CC BY 4.0 (UCI Machine Learning Repository terms)",
		  "Lim, T.-S. (1997). Contraceptive Method Choice. UCI Machine Learning Repository. doi:10.24432/C59W2D", 1473, 0, 0},
	 .schema = "cmc.json",
	 .table = {{"cmc.csv.gz", "7c29e5990fd1319794483cbbbf0d547cda566b2a1346d333eacf5a20a66fc7df", ISO_ADD_HEADER, {{"https://archive.ics.uci.edu/ml/machine-learning-databases/cmc/cmc.data", 0, 0}}}},
	 .upstream = "https://archive.ics.uci.edu/dataset/30/contraceptive+method+choice"},
	{.info = {"optdigits", "UCI Optical Recognition of Handwritten Digits (ODR)", "CC BY 4.0 (UCI Machine Learning Repository terms)",
		  "Alpaydin, E. & Kaynak, C. (1998). Optical Recognition of Handwritten Digits. UCI Machine Learning Repository. doi:10.24432/C50P49", 3823, 0, 1},
	 .schema = "optdigits.json",
	 .table = {{"optdigits_train.csv.gz", "7928842de928d4e5202b1c1503f8ca392d1de68ca3ba62640b993f17431b444c", ISO_ADD_HEADER, {{"https://archive.ics.uci.edu/ml/machine-learning-databases/optdigits/optdigits.tra", 0, 0}}}},
	 .test = {{"optdigits_test.csv.gz", "7352ccc01118a009e37221bbf04e1c4ecf0683c7a9177e3471ddd8071bb4af61", ISO_ADD_HEADER, {{"https://archive.ics.uci.edu/ml/machine-learning-databases/optdigits/optdigits.tes", 0, 0}}}},
	 .upstream = "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits"},
	{.info = {"credit-default", "UCI Default of Credit Card Clients", "CC BY 4.0 (UCI Machine Learning Repository terms)",
		  "Yeh, I-C. (2009). Default of Credit Card Clients. UCI Machine Learning Repository. doi:10.24432/C55S3H", 30000, 0, 0},
	 .schema = "credit-default.json",
	 .table = {{"credit_default.csv.gz", "ef2ce9df21643e639a0b74acefb743b3787b57db0354ac9e27277040af5dbab9", ISO_ADD_HEADER | ISO_DROP_LINE, {{"https://raw.githubusercontent.com/fju155447/uci/84670e783ab9fd2459b7096d82965f28dafb66b2/UCI_Credit_Card.csv", 0, 0}}}},
	 .upstream = "https://archive.ics.uci.edu/dataset/350/default+of+credit+card+clients"},
	{.info = {"cervical-cancer", "UCI Cervical cancer (Risk Factors)", "CC BY 4.0 (UCI Machine Learning Repository terms)",
		  "Fernandes, K., Cardoso, J. & Fernandes, J. (2017). Cervical Cancer (Risk Factors). UCI Machine Learning Repository. doi:10.24432/C5Z310", 858, 0, 0},
	 .schema = "cervical-cancer.json",
	 .table = {{"cervical_cancer.csv.gz", "f749419274544950bdb971781b26187bc16440b0a86ad96f932854ac7dc530a7", ISO_ADD_HEADER | ISO_DROP_LINE, {{"https://archive.ics.uci.edu/ml/machine-learning-databases/00383/risk_factors_cervical_cancer.csv", 0, 0}}}},
	 .upstream = "https://archive.ics.uci.edu/dataset/383/cervical+cancer+risk+factors"},
};
// clang-format on
const size_t iso_data_source_count = ISO_COUNT(iso_data_sources);

const iso_data_source *iso_data_source_find(const char *name)
{
	for (size_t i = 0; i < iso_data_source_count; i++)
		if (strcmp(iso_data_sources[i].info.name, name) == 0)
			return &iso_data_sources[i];
	return NULL;
}

iso_status iso_data_source_need(const char *name, const iso_data_source **out, iso_error *err)
{
	const char *words[64], *near;
	size_t n = 0;

	*out = iso_data_source_find(name);
	if (*out)
		return ISO_OK;
	for (; n < iso_data_source_count && n < ISO_COUNT(words); n++)
		words[n] = iso_data_sources[n].info.name;
	near = iso_nearest_word(name, words, n);
	return iso_fail(err, ISO_E_CONFIG,
			"unknown data set (%.80s): %s%s%s; see `isoeps data list`", name,
			near ? "did you mean \"" : "there is none of that name", near ? near : "",
			near ? "\"?" : "");
}
