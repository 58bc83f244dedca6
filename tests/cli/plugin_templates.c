// SPDX-License-Identifier: Apache-2.0
/* One shared object with a metric and an attack: the two templates as they are. */
#include "attacks/attack.h"
#include "metrics/metric.h"

extern const iso_metric iso_metric_template;
extern const iso_attack iso_attack_template;
const iso_metric *iso_plugin_metric(void);
const iso_attack *iso_plugin_attack(void);

const iso_metric *iso_plugin_metric(void)
{
	return &iso_metric_template;
}

const iso_attack *iso_plugin_attack(void)
{
	return &iso_attack_template;
}
