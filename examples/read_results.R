# SPDX-License-Identifier: Apache-2.0
# Reads the results of a run with R (base packages): Rscript read_results.R DIR [VALUE [ATTACK]]
#
# Prints, for every method and epsilon, the mean over seeds of a value (default: the AUROC of a logistic regression
# trained on synthetic rows), its 95 % Student interval from four seeds on, the mean AUC of an attack, and the
# accounted epsilon.
arguments <- commandArgs(trailingOnly = TRUE)
directory <- arguments[1]
value <- if (length(arguments) > 1) arguments[2] else "tstr.lr.auroc_macro"
attack <- if (length(arguments) > 2) arguments[3] else "gan-leaks"

# one value a row; "inf" becomes Inf, and a failed cell has a row without a value
rows <- read.csv(file.path(directory, "results.csv"), stringsAsFactors = FALSE)
number <- function(x) as.numeric(sub("^(-?)inf$", "\\1Inf", x))
rows$value <- number(rows$value)
rows$epsilon <- number(rows$epsilon)
rows <- rows[rows$status == "ok", ]

# one row a cell, one column a name
cells <- unique(rows[c("cell", "dataset", "generator", "epsilon", "seed")])
column <- function(name) {
  r <- rows[rows$name == name, ]
  r$value[match(cells$cell, r$cell)]
}
if (!value %in% rows$name)
  stop("no value is called ", value, "; there are: ", paste(sort(unique(rows$name[rows$kind == "metric"])), collapse = ", "))
half_width <- function(x) {
  x <- x[!is.na(x)]
  if (length(x) < 4) NA else qt(0.975, length(x) - 1) * sd(x) / sqrt(length(x))
}
mean_of <- function(x) if (all(is.na(x))) NA else mean(x, na.rm = TRUE)
group <- paste(cells$dataset, cells$generator, cells$epsilon, sep = "\r")
first <- !duplicated(group)
by <- function(x, f) as.vector(tapply(x, factor(group, levels = group[first]), f))
table <- data.frame(dataset = cells$dataset[first], generator = cells$generator[first], epsilon = cells$epsilon[first],
  seeds = by(column(value), function(x) sum(!is.na(x))), by(column(value), mean_of), by(column(value), half_width),
  by(column(paste0(attack, ".auc")), mean_of), by(column("accounted_epsilon"), max))
names(table)[5:8] <- c(value, "+-", paste(attack, "AUC"), "accounted")
table <- table[order(table$dataset, table$epsilon, -table[[value]]), ]
table[sapply(table, is.numeric)] <- round(table[sapply(table, is.numeric)], 4)
write.csv(table, stdout(), row.names = FALSE, quote = FALSE, na = "")
